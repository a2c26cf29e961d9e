/* librdkafka's mock broker in a process of its own, with one topic "mock" that keeps everything (its own limit is 5 MB): something for
 * consumers to read as fast as librdkafka can be served. Prints the address and stays until it is killed. Reaches into librdkafka's
 * internals for the limit, so it is built from its sources: see consume_from_mock in bench.py. */
#include <stdio.h>
#include <unistd.h>

#include "rdkafka_int.h"
#include "rdkafka_mock_int.h"

int main(void) {
    char problem[256];
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), problem, sizeof problem);
    if (!host) {
        fprintf(stderr, "%s\n", problem);
        return 1;
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    if (!cluster || rd_kafka_mock_topic_create(cluster, "mock", 1, 1) != RD_KAFKA_RESP_ERR_NO_ERROR) return 1;
    rd_kafka_mock_partition_t *partition = &rd_kafka_mock_topic_find(cluster, "mock")->partitions[0];
    partition->max_size = SIZE_MAX;
    partition->max_cnt = SIZE_MAX;
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    for (;;) pause();
}
