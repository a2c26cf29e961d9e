/// A field's Swift spellings.
struct FieldText {
    var field: Field
    var isOptional: Bool { field.nullable != nil }

    static let keywords: Set<String> = ["protocol", "default", "internal", "operator", "extension", "in", "is", "self", "where"]

    var name: String { Self.keywords.contains(field.name) ? "`\(field.name)`" : field.name }
    var typeName: String { Self.typeName(field.type) + (isOptional ? "?" : "") }

    static func typeName(_ type: FieldType) -> String {
        switch type {
        case .bool: "Bool"
        case .int8: "Int8"
        case .int16: "Int16"
        case .uint16: "UInt16"
        case .int32: "Int32"
        case .uint32: "UInt32"
        case .int64: "Int64"
        case .float64: "Double"
        case .string: "String"
        case .uuid: "WireUUID"
        case .bytes: "ByteBuffer"
        case .error: "ErrorCode"
        case .structure(let name): name
        case .array(let element): "[\(typeName(element))]"
        }
    }

    /// Kafka's default: the one given, else zero, empty, false.
    var defaultValue: String {
        if field.defaultText == "null" { return "nil" }
        if let text = field.defaultText {
            return field.type == .string ? "\"\(text)\"" : text
        }
        return isOptional && field.type == .bytes ? "nil" : emptyValue
    }

    /// What stands for null in versions that have none.
    var emptyValue: String {
        switch field.type {
        case .bool: "false"
        case .int8, .int16, .uint16, .int32, .uint32, .int64, .float64: "0"
        case .string: "\"\""
        case .uuid: ".zero"
        case .bytes: "ByteBuffer()"
        case .error: "ErrorCode.none"
        case .structure(let name): "\(name)()"
        case .array: "[]"
        }
    }

    /// The reader's call for a type that may not be null.
    static func read(_ type: FieldType, from reader: String, compact: String) -> String {
        switch type {
        case .bool: "try \(reader).bool()"
        case .int8: "try \(reader).int8()"
        case .int16: "try \(reader).int16()"
        case .uint16: "try \(reader).uint16()"
        case .int32: "try \(reader).int32()"
        case .uint32: "try \(reader).uint32()"
        case .int64: "try \(reader).int64()"
        case .float64: "try \(reader).float64()"
        case .uuid: "try \(reader).uuid()"
        case .error: "ErrorCode(wire: try \(reader).int16())"
        case .string: "try \(reader).string(compact: \(compact))"
        case .bytes: "try \(reader).bytes(compact: \(compact))"
        case .structure(let name): "try \(name)(reading: &\(reader), version: version)"
        case .array: preconditionFailure("arrays are read by a loop")
        }
    }

    /// The writer's call for a value that is not null.
    static func write(_ type: FieldType, _ value: String, to writer: String, compact: String) -> String {
        switch type {
        case .bool: "\(writer).bool(\(value))"
        case .int8: "\(writer).int8(\(value))"
        case .int16: "\(writer).int16(\(value))"
        case .uint16: "\(writer).uint16(\(value))"
        case .int32: "\(writer).int32(\(value))"
        case .uint32: "\(writer).uint32(\(value))"
        case .int64: "\(writer).int64(\(value))"
        case .float64: "\(writer).float64(\(value))"
        case .uuid: "\(writer).uuid(\(value))"
        case .error: "\(writer).int16(\(value).rawValue)"
        case .string: "\(writer).string(\(value), compact: \(compact))"
        case .bytes: "\(writer).bytes(\(value), compact: \(compact))"
        case .structure: "\(value).write(to: &\(writer), version: version)"
        case .array: preconditionFailure("arrays are written by a loop")
        }
    }
}
