import KafkaWire

/// DescribeCluster, key 60 (KIP-700).
enum DescribeCluster {
    static func handle(_ request: DescribeClusterRequest, _ context: RequestContext) {
        var response = DescribeClusterResponse()
        response.clusterId = context.door.broker.clusterID
        response.controllerId = KafkaDoor.nodeID
        response.endpointType = request.endpointType
        if request.endpointType == 1 {
            var node = DescribeClusterResponse.DescribeClusterBroker()
            node.brokerId = KafkaDoor.nodeID
            node.host = context.door.advertised.host
            node.port = Int32(context.door.advertised.port)
            response.brokers = [node]
        } else {
            response.errorCode = .mismatchedEndpointType
            response.errorMessage = "this door answers as a broker (endpoint type 1)"
        }
        response.clusterAuthorizedOperations = Int32.min
        context.answer(response)
    }
}
