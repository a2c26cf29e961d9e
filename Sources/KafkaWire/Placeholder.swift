enum KafkaWirePlaceholder {}
