/// Emits `write(to:version:)`. Fields that a version does not have are left out.
struct WriteEmitter {
    var fields: [Field]
    var layout: Layout

    func emit(into out: inout SwiftText) {
        let (plain, tagged) = split(fields)
        out.block("public func write(to writer: inout WireWriter, version: Int16) {") { out in
            if layout.flexibility == .sometimes { out.line("let flexible = version >= \(layout.firstFlexible ?? 0)") }
            for field in plain {
                out.when(layout.condition(field.versions)) { emitField(field, to: "writer", compact: layout.compact, into: &$0) }
            }
            guard layout.flexibility != .never else { return }
            out.when(layout.flexibility == .sometimes ? "flexible" : nil) { emitTagged(tagged, into: &$0) }
        }
    }

    /// Tagged fields are written only when they differ from their default.
    private func emitTagged(_ tagged: [(tag: Field.Tag, field: Field)], into out: inout SwiftText) {
        guard !tagged.isEmpty else { return out.line("writer.noTaggedFields()") }
        out.line("var tagged: UInt32 = 0")
        for (tag, field) in tagged { out.line("if \(presence(tag, field)) { tagged += 1 }") }
        out.line("writer.unsignedVarint(tagged)")
        for (tag, field) in tagged {
            out.block("if \(presence(tag, field)) {") { out in
                out.block("writer.taggedField(\(tag.number)) { field in") { emitField(field, to: "field", compact: "true", into: &$0) }
            }
        }
    }

    private func presence(_ tag: Field.Tag, _ field: Field) -> String {
        let text = FieldText(field: field)
        let differs =
            switch field.type {
            case .array where !text.isOptional: "!\(text.name).isEmpty"
            case .bool where text.defaultValue == "false": text.name
            default: "\(text.name) != \(text.defaultValue)"
            }
        return (layout.condition(tag.versions).map { "\($0) && " } ?? "") + differs
    }

    private func emitField(_ field: Field, to writer: String, compact: String, into out: inout SwiftText) {
        let text = FieldText(field: field)
        if case .array(let element) = field.type {
            return emitArray(field, element: element, to: writer, compact: compact, into: &out)
        }
        guard let range = field.nullable else {
            return out.line(FieldText.write(field.type, text.name, to: writer, compact: compact))
        }
        if case .structure = field.type {
            out.block("if let \(text.name) {", tail: "} else {") { out in
                out.line("\(writer).int8(1)")
                out.line(FieldText.write(field.type, text.name, to: writer, compact: compact))
            }
            out.line("    \(writer).int8(-1)")
            return out.line("}")
        }
        let method = field.type == .string ? "nullableString" : "nullableBytes"
        let nullable = "\(writer).\(method)(\(text.name), compact: \(compact))"
        guard let condition = layout.narrowed(to: field.versions).condition(range) else { return out.line(nullable) }
        let plain = FieldText.write(field.type, "\(text.name) ?? \(text.emptyValue)", to: writer, compact: compact)
        out.block("if \(condition) {", tail: "} else {") { $0.line(nullable) }
        out.line("    \(plain)")
        out.line("}")
    }

    private func emitArray(_ field: Field, element: FieldType, to writer: String, compact: String, into out: inout SwiftText) {
        let name = FieldText(field: field).name
        let write = FieldText.write(element, "element", to: writer, compact: compact)
        guard let range = field.nullable else {
            out.line("\(writer).count(\(name).count, compact: \(compact))")
            out.line("for element in \(name) { \(write) }")
            return
        }
        out.block("if let \(name) {", tail: "} else {") { out in
            out.line("\(writer).count(\(name).count, compact: \(compact))")
            out.line("for element in \(name) { \(write) }")
        }
        let null = "\(writer).nullCount(compact: \(compact))"
        if let condition = layout.narrowed(to: field.versions).condition(range) {
            out.line("    if \(condition) { \(null) } else { \(writer).count(0, compact: \(compact)) }")
        } else {
            out.line("    \(null)")
        }
        out.line("}")
    }
}
