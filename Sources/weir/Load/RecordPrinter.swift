import Control
import FoundationEssentials
import KafkaClient
import Model
import NIOCore

/// Prints records: values as they are, or an array of JSON objects.
struct RecordPrinter {
    let json: Bool
    let keys: Bool
    private let encoder: JSONEncoder
    private var output = StandardOutput()
    private var count = 0

    init(json: Bool, keys: Bool) {
        self.json = json
        self.keys = keys
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    mutating func begin() {
        if json { output.write("[") }
    }

    mutating func print(_ record: Record, source: TopicPartition) throws {
        defer { count += 1 }
        guard !json else {
            output.write(count == 0 ? "\n" : ",\n")
            return output.write(ByteBuffer(bytes: try encoder.encode(RecordJSON(record, source: source))))
        }
        if keys {
            if let key = record.key { output.write(key) }
            output.write("\t")
        }
        if let value = record.value { output.write(value) }
        output.write("\n")
    }

    /// False when nobody reads any more.
    mutating func flush() -> Bool { output.flush() }

    mutating func end() {
        if json { output.write(count == 0 ? "]\n" : "\n]\n") }
        _ = output.flush()
    }
}

/// One record as JSON. Bytes that are not UTF-8 are given in base 64, under a name that says so.
struct RecordJSON: Encodable {
    var topic: String
    var partition: Int32
    var offset: Int64
    var timestamp: Int64
    var key: String?
    var keyBase64: String?
    var value: String?
    var valueBase64: String?
    var headers: [String: String]

    init(_ record: Record, source: TopicPartition) {
        topic = source.topic
        partition = source.partition
        offset = record.offset.value
        timestamp = record.timestamp.ms
        (key, keyBase64) = Self.text(record.key)
        (value, valueBase64) = Self.text(record.value)
        headers = [:]
        for header in record.headers {
            let (text, base64) = Self.text(header.value)
            headers[header.name] = text ?? base64
        }
    }

    private static func text(_ bytes: ByteBuffer?) -> (String?, String?) {
        guard let bytes else { return (nil, nil) }
        if let text = String(validating: bytes.readableBytesView, as: UTF8.self) { return (text, nil) }
        return (nil, Data(bytes.readableBytesView).base64EncodedString())
    }
}
