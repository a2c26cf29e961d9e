/// Emits `init(reading:version:)`.
struct ReadEmitter {
    var fields: [Field]
    var layout: Layout
    /// Messages refuse versions they have no layout for; structures inside are reached by checked versions only.
    var checksVersion: Bool

    func emit(into out: inout SwiftText) {
        let (plain, tagged) = split(fields)
        out.block("public init(reading reader: inout WireReader, version: Int16) throws(WireError) {") { out in
            if checksVersion { out.line("try Self.check(version)") }
            if layout.flexibility == .sometimes { out.line("let flexible = version >= \(layout.firstFlexible ?? 0)") }
            for field in plain {
                out.when(layout.condition(field.versions)) { emitField(field, from: "reader", compact: layout.compact, into: &$0) }
            }
            guard layout.flexibility != .never else { return }
            out.when(layout.flexibility == .sometimes ? "flexible" : nil) { emitTagged(tagged, into: &$0) }
        }
    }

    private func emitTagged(_ tagged: [(tag: Field.Tag, field: Field)], into out: inout SwiftText) {
        guard !tagged.isEmpty else { return out.line("try reader.skipTaggedFields()") }
        out.block("try reader.taggedFields { tag, field throws(WireError) in") { out in
            out.line("switch tag {")
            for (tag, field) in tagged {
                let condition = layout.condition(tag.versions).map { " where \($0)" } ?? ""
                out.block("case \(tag.number)\(condition):", tail: nil) { emitField(field, from: "field", compact: "true", into: &$0) }
            }
            out.line("default: break")
            out.line("}")
        }
    }

    private func emitField(_ field: Field, from reader: String, compact: String, into out: inout SwiftText) {
        let text = FieldText(field: field)
        if case .array(let element) = field.type {
            return emitArray(field, element: element, from: reader, compact: compact, into: &out)
        }
        let plain = FieldText.read(field.type, from: reader, compact: compact)
        guard let range = field.nullable else { return out.line("\(text.name) = \(plain)") }
        let nullable: String
        if case .structure = field.type {
            // A byte below zero stands for null, any other goes before the fields.
            nullable = "try \(reader).int8() < 0 ? nil : \(plain)"
        } else {
            let method = field.type == .string ? "nullableString" : "nullableBytes"
            nullable = "try \(reader).\(method)(compact: \(compact))"
        }
        if let condition = layout.narrowed(to: field.versions).condition(range) {
            out.line("\(text.name) = \(condition) ? \(nullable) : \(plain)")
        } else {
            out.line("\(text.name) = \(nullable)")
        }
    }

    private func emitArray(_ field: Field, element: FieldType, from reader: String, compact: String, into out: inout SwiftText) {
        let name = FieldText(field: field).name
        let minimum = layout.narrowed(to: field.versions).minimumBytes(element: element, fields: field.fields)
        let arguments = "(compact: \(compact), minimumBytes: \(minimum))"
        let read = FieldText.read(element, from: reader, compact: compact)
        guard let range = field.nullable else {
            out.block("do {") { out in
                out.line("let count = try \(reader).count\(arguments)")
                out.line("\(name).reserveCapacity(WireReader.reservation(count))")
                out.line("for _ in 0..<count { \(name).append(\(read)) }")
            }
            return
        }
        let nullable = layout.narrowed(to: field.versions).condition(range).map { ", nullable: \($0)" } ?? ""
        let count = "try \(reader).nullableCount(compact: \(compact), minimumBytes: \(minimum)\(nullable))"
        out.block("if let count = \(count) {", tail: "} else {") { out in
            out.line("var elements: \(FieldText.typeName(field.type)) = []")
            out.line("elements.reserveCapacity(WireReader.reservation(count))")
            out.line("for _ in 0..<count { elements.append(\(read)) }")
            out.line("\(name) = elements")
        }
        out.line("    \(name) = nil")
        out.line("}")
    }
}
