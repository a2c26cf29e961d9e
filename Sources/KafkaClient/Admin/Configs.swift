import KafkaWire
import Model

extension Client {
    /// A topic's settings by name, defaults included; those without a value are left out.
    public func settings(ofTopic name: String) async throws -> [String: String] {
        var resource = DescribeConfigsRequest.DescribeConfigsResource()
        resource.resourceType = 2
        resource.resourceName = name
        resource.configurationKeys = nil
        var request = DescribeConfigsRequest()
        request.resources = [resource]
        var settings: [String: String] = [:]
        for result in try await anyConnection().send(request).results {
            guard result.errorCode == .none else {
                throw ClientError.refused(result.errorCode, what: "topic '\(name)'" + (result.errorMessage.map { " (\($0))" } ?? ""))
            }
            for config in result.configs { settings[config.name] = config.value }
        }
        return settings
    }
}
