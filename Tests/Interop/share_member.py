"""Takes messages in a share group and says which, one offset a line; answers none."""

import sys
import time

import confluent_kafka

address, group, topic = sys.argv[1:]
share = confluent_kafka.ShareConsumer({"bootstrap.servers": address, "group.id": group, "share.acknowledgement.mode": "explicit"})
share.subscribe([topic])
while not (messages := share.poll(1.0)):
    pass
for message in messages:
    print(message.offset(), flush=True)
while True:
    time.sleep(60)
