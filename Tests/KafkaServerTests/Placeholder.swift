enum KafkaServerTestsPlaceholder {}
