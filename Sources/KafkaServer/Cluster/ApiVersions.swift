import KafkaWire

/// ApiVersions, key 18: what this broker answers, from the same table its codecs are generated with.
enum ApiVersions {
    private static let shareFeature = "share.version"
    private static let answer = response(.none)

    static func handle(_ request: ApiVersionsRequest, _ context: RequestContext) {
        context.connection.tell(software: request.clientSoftwareName, version: request.clientSoftwareVersion)
        context.answer(answer)
    }

    /// A version we do not have is answered at version 0, so that the client can choose again (KIP-511).
    static func answerUnsupported(_ context: RequestContext) {
        let fallback = RequestContext(
            door: context.door, connection: context.connection, slot: context.slot, api: context.api, version: 0,
            correlationID: context.correlationID, clientID: context.clientID)
        fallback.answer(response(.unsupportedVersion))
    }

    private static func response(_ error: ErrorCode) -> ApiVersionsResponse {
        var response = ApiVersionsResponse()
        response.errorCode = error
        response.apiKeys = APIKey.allCases.map { api in
            var entry = ApiVersionsResponse.ApiVersion()
            entry.apiKey = api.rawValue
            entry.minVersion = api.advertisedVersions.lowerBound
            entry.maxVersion = api.advertisedVersions.upperBound
            return entry
        }
        // Level 1 is KIP-932 as it became stable. It says nothing about `group.version`: the KIP-848 protocol is not spoken.
        var supported = ApiVersionsResponse.SupportedFeatureKey()
        supported.name = shareFeature
        // Clients before ApiVersions 4 do not take a lower bound of 0 (KIP-1022).
        supported.minVersion = 1
        supported.maxVersion = 1
        response.supportedFeatures = [supported]
        var finalized = ApiVersionsResponse.FinalizedFeatureKey()
        finalized.name = shareFeature
        finalized.maxVersionLevel = 1
        finalized.minVersionLevel = 1
        response.finalizedFeatures = [finalized]
        response.finalizedFeaturesEpoch = 1
        return response
    }
}
