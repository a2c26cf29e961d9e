/// Why a schema file could not be read, with its place.
public struct SchemaError: Error, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var message: String

    public var description: String { "\(file):\(line): error: \(message)" }
}

/// Reads the compact schema text.
///
/// Lines are split at spaces; two spaces of indentation put a field into the structure of the line above; `#` begins a comment,
/// which documents the file at its top and a field at the end of its line.
public struct SchemaParser {
    private struct Line {
        var number: Int
        var indent: Int
        var words: [Substring]
        var doc: String?
    }

    private let file: String
    private var lines: [Line] = []
    private var position = 0
    private var schema = Schema(doc: [], api: nil, messages: [])

    public static func parse(_ text: String, file: String) throws(SchemaError) -> Schema {
        var parser = SchemaParser(file: file)
        parser.split(text)
        try parser.parseFile()
        return parser.schema
    }

    private init(file: String) { self.file = file }

    private mutating func split(_ text: String) {
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indent = raw.prefix { $0 == " " }.count
            let hash = raw.firstIndex(of: "#")
            let words = raw[..<(hash ?? raw.endIndex)].split(separator: " ")
            let doc = hash.map { String(raw[raw.index(after: $0)...].drop { $0 == " " }) }
            if words.isEmpty {
                if let doc, lines.isEmpty { schema.doc.append(doc) }
                continue
            }
            lines.append(Line(number: index + 1, indent: indent, words: words, doc: doc))
        }
    }

    private mutating func parseFile() throws(SchemaError) {
        while position < lines.count {
            let line = lines[position]
            position += 1
            switch line.words[0] {
            case "api":
                guard schema.api == nil else { throw error(line, "a file describes one api") }
                schema.api = try parseAPI(line)
            case "request": try addMessage(line, role: .request)
            case "response": try addMessage(line, role: .response)
            case "data": try addData(line)
            default: throw error(line, "expected api, request, response or data, not '\(line.words[0])'")
            }
        }
    }

    private func parseAPI(_ line: Line) throws(SchemaError) -> Schema.API {
        let options = try parseOptions(line)
        guard let key = options["key"].flatMap({ Int($0) }), let versions = options["versions"].flatMap({ VersionRange(text: $0) }) else {
            throw error(line, "an api needs 'key N' and 'versions A-B'")
        }
        guard versions.upper != nil else { throw error(line, "an api's versions have an end") }
        var advertised = versions
        if let text = options["advertised"] {
            guard let range = VersionRange(text: text), range.upper != nil else { throw error(line, "bad versions '\(text)'") }
            advertised = range
        }
        return Schema.API(
            name: String(line.words[1]), key: key, versions: versions, advertised: advertised,
            firstFlexible: try firstFlexible(options, line), client: options["client"] != nil)
    }

    /// The words after a name: `client` alone, everything else with a value.
    private func parseOptions(_ line: Line) throws(SchemaError) -> [Substring: Substring] {
        guard line.words.count >= 2 else { throw error(line, "a name is missing") }
        var options: [Substring: Substring] = [:]
        var index = 2
        while index < line.words.count {
            let word = line.words[index]
            if word == "client" {
                options[word] = word
                index += 1
                continue
            }
            guard ["key", "versions", "flexible", "advertised"].contains(word), index + 1 < line.words.count else {
                throw error(line, "unknown option '\(word)'")
            }
            options[word] = line.words[index + 1]
            index += 2
        }
        return options
    }

    private func firstFlexible(_ options: [Substring: Substring], _ line: Line) throws(SchemaError) -> Int? {
        guard let text = options["flexible"] else { throw error(line, "'flexible N+' or 'flexible none' is missing") }
        if text == "none" { return nil }
        guard let range = VersionRange(text: text), range.upper == nil else { throw error(line, "bad versions '\(text)'") }
        return range.lower
    }

    private mutating func addMessage(_ line: Line, role: Message.Role) throws(SchemaError) {
        guard let api = schema.api else { throw error(line, "the api line comes first") }
        guard !schema.messages.contains(where: { $0.role == role }) else { throw error(line, "\(role) appears twice") }
        let fields = try parseFields(indent: 2)
        schema.messages.append(
            Message(
                name: api.name + (role == .request ? "Request" : "Response"), role: role, versions: api.versions,
                firstFlexible: api.firstFlexible, reads: role == .request || api.client, writes: role == .response || api.client,
                fields: fields))
    }

    private mutating func addData(_ line: Line) throws(SchemaError) {
        let options = try parseOptions(line)
        guard let versions = options["versions"].flatMap({ VersionRange(text: $0) }), versions.upper != nil else {
            throw error(line, "data needs 'versions A-B'")
        }
        let flexible = try firstFlexible(options, line)
        let fields = try parseFields(indent: 2)
        schema.messages.append(
            Message(
                name: String(line.words[1]), role: .data, versions: versions, firstFlexible: flexible, reads: true, writes: true,
                fields: fields))
    }

    private mutating func parseFields(indent: Int) throws(SchemaError) -> [Field] {
        var fields: [Field] = []
        while position < lines.count, lines[position].indent >= indent {
            let line = lines[position]
            guard line.indent == indent else { throw error(line, "indented by \(line.indent) where \(indent) fits") }
            position += 1
            var field = try parseField(line)
            field.fields = try parseFields(indent: indent + 2)
            guard (field.type.structureName != nil) == !field.fields.isEmpty else {
                throw error(line, "a structure, and nothing else, has fields beneath it")
            }
            guard !fields.contains(where: { $0.name == field.name }) else { throw error(line, "'\(field.name)' appears twice") }
            fields.append(field)
        }
        return fields
    }

    private func parseField(_ line: Line) throws(SchemaError) -> Field {
        guard line.words.count >= 3 else { throw error(line, "a field needs a name, a type and versions") }
        guard let type = FieldType(text: line.words[1]) else { throw error(line, "unknown type '\(line.words[1])'") }
        guard let versions = VersionRange(text: line.words[2]) else { throw error(line, "bad versions '\(line.words[2])'") }
        var field = Field(
            name: String(line.words[0]), type: type, versions: versions, nullable: nil, tag: nil, defaultText: nil, doc: line.doc,
            fields: [])
        var words = line.words.dropFirst(3)
        while let word = words.popFirst() {
            guard let value = words.popFirst() else { throw error(line, "'\(word)' needs a value") }
            switch word {
            case "null":
                guard let range = VersionRange(text: value) else { throw error(line, "bad versions '\(value)'") }
                field.nullable = range
            case "tag":
                guard let number = Int(value), number >= 0 else { throw error(line, "bad tag '\(value)'") }
                field.tag = Field.Tag(number: number, versions: versions)
                if let text = words.first, let range = VersionRange(text: text) {
                    field.tag?.versions = range
                    words.removeFirst()
                }
            case "default": field.defaultText = String(value)
            default: throw error(line, "unknown attribute '\(word)'")
            }
        }
        return field
    }

    private func error(_ line: Line, _ message: String) -> SchemaError {
        SchemaError(file: file, line: line.number, message: message)
    }
}

extension FieldType {
    /// Capitalised names are structures; everything else must be known.
    init?(text: Substring) {
        if text.hasPrefix("[]") {
            guard let element = FieldType(text: text.dropFirst(2)) else { return nil }
            self = .array(element)
            return
        }
        switch text {
        case "bool": self = .bool
        case "int8": self = .int8
        case "int16": self = .int16
        case "uint16": self = .uint16
        case "int32": self = .int32
        case "uint32": self = .uint32
        case "int64": self = .int64
        case "float64": self = .float64
        case "string": self = .string
        case "uuid": self = .uuid
        case "bytes", "records": self = .bytes
        case "error": self = .error
        default:
            guard let first = text.first, first.isUppercase else { return nil }
            self = .structure(String(text))
        }
    }
}
