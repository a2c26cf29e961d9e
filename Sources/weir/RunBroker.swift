/// Runs a broker until it is told to stop.
func runBroker(_ configuration: BrokerConfiguration) async throws {
    throw CommandFailure("this build holds the command line only: it cannot serve \(configuration.name)")
}
