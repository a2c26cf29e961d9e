enum KafkaServerPlaceholder {}
