enum KafkaWireTestsPlaceholder {}
