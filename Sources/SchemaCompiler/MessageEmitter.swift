/// Emits the Swift structure of one message and, nested in it, those of its fields.
struct MessageEmitter {
    var message: Message
    var doc: [String]
    /// The message's API; nil for data.
    var api: Schema.API?

    private var reads: Bool { message.reads }
    private var writes: Bool { message.writes }

    func emit(into out: inout SwiftText) {
        let layout = Layout(versions: message.versions, firstFlexible: message.firstFlexible)
        if message.role == .response, let api {
            out.line("/// Answers ``\(api.name)Request``.")
        } else {
            for line in doc { out.line("/// \(line)") }
        }
        out.block("public struct \(message.name): \(conformances.joined(separator: ", ")) {") { out in
            emitConstants(into: &out)
            emitBody(message.fields, layout: layout, isMessage: true, into: &out)
            emitStructures(message.fields, layout: layout, into: &out)
        }
    }

    private var conformances: [String] {
        switch message.role {
        case .request: writes ? ["KafkaClientRequest"] : ["KafkaRequest"]
        case .response: reads ? ["KafkaClientResponse"] : ["KafkaResponse"]
        case .data: ["KafkaData"]
        }
    }

    private func emitConstants(into out: inout SwiftText) {
        if message.role == .request, let api { out.line("public typealias Response = \(api.name)Response") }
        if let api { out.line("public static let key: APIKey = .\(api.caseName)") }
        let upper = message.versions.upper ?? message.versions.lower
        out.line("public static let versions: ClosedRange<Int16> = \(message.versions.lower)...\(upper)")
        out.line("public static let firstFlexible: Int16 = \(message.firstFlexible.map(String.init) ?? "Int16.max")")
        out.line()
    }

    private func emitStructures(_ fields: [Field], layout: Layout, into out: inout SwiftText) {
        for field in fields {
            guard let name = field.type.structureName else { continue }
            let inner = layout.narrowed(to: field.versions)
            out.line()
            out.block("public struct \(name): Sendable, Equatable {") { out in
                emitBody(field.fields, layout: inner, isMessage: false, into: &out)
            }
            emitStructures(field.fields, layout: inner, into: &out)
        }
    }

    private func emitBody(_ fields: [Field], layout: Layout, isMessage: Bool, into out: inout SwiftText) {
        for field in fields {
            let text = FieldText(field: field)
            if let doc = field.doc { out.line("/// \(doc)") }
            out.line("public var \(text.name): \(text.typeName) = \(text.defaultValue)")
        }
        out.line()
        out.line("public init() {}")
        if reads {
            out.line()
            ReadEmitter(fields: fields, layout: layout, checksVersion: isMessage).emit(into: &out)
        }
        if writes {
            out.line()
            WriteEmitter(fields: fields, layout: layout).emit(into: &out)
        }
    }
}

extension Schema.API {
    /// The name as an enumeration case.
    var caseName: String { name.prefix(1).lowercased() + name.dropFirst() }
}

/// Untagged fields in wire order, and tagged ones in tag order.
func split(_ fields: [Field]) -> (plain: [Field], tagged: [(tag: Field.Tag, field: Field)]) {
    let tagged = fields.compactMap { field in field.tag.map { (tag: $0, field: field) } }
    return (fields.filter { $0.tag == nil }, tagged.sorted { $0.tag.number < $1.tag.number })
}
