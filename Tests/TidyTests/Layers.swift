/// Which target may import which: lower targets first, so that every arrow points up this list.
enum Layers {
    static let table: [(target: String, imports: [String])] = [
        ("CWeir", []),
        ("CNcurses", []),
        ("CTerm", ["CNcurses"]),
        ("CCodecs", []),
        ("CCompression", ["CCodecs"]),
        ("Wire", []),
        ("Model", ["CWeir", "Wire"]),
        ("Compression", ["CCompression", "Model", "Wire"]),
        ("SchemaCompiler", []),
        ("SchemaGenerator", ["SchemaCompiler"]),
        ("SchemaPlugin", ["SchemaGenerator"]),
        ("KafkaWire", ["Wire", "Model"]),
        ("Groups", ["Model", "Wire"]),
        ("Storage", ["Model", "CWeir"]),
        ("Queues", ["Model", "Wire"]),
        ("Control", ["Model"]),
        ("Broker", ["Model", "Wire", "CWeir", "Compression", "Storage", "Groups", "Queues", "Control"]),
        ("KafkaServer", ["Broker", "KafkaWire", "Groups", "Queues", "Storage", "Model", "Wire", "CWeir"]),
        ("AdminServer", ["Control", "Model"]),
        ("AdminClient", ["Control", "Model"]),
        ("KafkaClient", ["KafkaWire", "Compression", "Wire", "Model"]),
        ("Terminal", ["CTerm", "CWeir"]),
        ("Console", ["Terminal", "Control", "Model"]),
        ("Simulator", ["Broker", "Groups", "Queues", "Storage", "Control", "Model", "Wire"]),
        (
            "weir",
            [
                "KafkaServer", "AdminServer", "AdminClient", "KafkaClient", "Console", "Terminal", "Broker", "Storage", "Control", "Model",
                "CWeir",
            ]
        ),
    ]

    /// Arrows of a table that do not point up it.
    static func upward(_ table: [(target: String, imports: [String])]) -> [String] {
        table.enumerated().flatMap { index, row in
            row.imports.filter { name in !table[..<index].contains { $0.target == name } }.map { "\(row.target) must not depend on \($0)" }
        }
    }

    /// The dependencies on own targets that a manifest declares, in its order. Test targets are left out.
    static func declared(inManifest text: String) -> [(target: String, imports: [String])] {
        let manifest = SourceTokens(text)
        return manifest.calls([".target", ".executableTarget", ".systemLibrary", ".plugin"]).compactMap { arguments in
            guard let name = arguments.quoted(after: "name:").first else { return nil }
            return (name, arguments.list(after: "dependencies:"))
        }
    }

    /// Imports of own targets that the table does not allow.
    static func forbiddenImports(_ file: SourceText, target: String, table: [(target: String, imports: [String])]) -> [String] {
        let own = Set(table.map(\.target))
        let allowed = table.first { $0.target == target }?.imports ?? []
        return file.text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").drop { $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) }
            guard words.first == "import", let name = words.dropFirst().first.map(String.init) else { return nil }
            return own.contains(name) && !allowed.contains(name) ? "\(file.path): \(target) must not import \(name)" : nil
        }
    }
}

/// Just enough of a manifest: the arguments of calls.
struct SourceTokens {
    let text: String
    init(_ text: String) { self.text = text }

    /// The argument text of each call of one of these names, in order.
    func calls(_ names: [String]) -> [SourceTokens] {
        var result: [(String.Index, SourceTokens)] = []
        for name in names {
            var rest = text[...]
            while let range = rest.firstRange(of: name + "(") {
                var depth = 1
                var end = range.upperBound
                while end < text.endIndex, depth > 0 {
                    if text[end] == "(" { depth += 1 }
                    if text[end] == ")" { depth -= 1 }
                    end = text.index(after: end)
                }
                result.append((range.lowerBound, SourceTokens(String(text[range.upperBound..<end]))))
                rest = text[range.upperBound...]
            }
        }
        return result.sorted { $0.0 < $1.0 }.map(\.1)
    }

    func quoted(after label: String) -> [String] {
        guard let range = text.firstRange(of: label) else { return [] }
        return Self.quotes(text[range.upperBound...])
    }

    /// The plain strings of the list after a label; products of other packages are no plain strings.
    func list(after label: String) -> [String] {
        guard let range = text.firstRange(of: label), let open = text[range.upperBound...].firstIndex(of: "[") else { return [] }
        var depth = 0
        var plain = ""
        for character in text[text.index(after: open)...] {
            if character == "]", depth == 0 { break }
            if character == "(" || character == "[" { depth += 1 }
            if depth == 0 { plain.append(character) }
            if character == ")" || character == "]" { depth -= 1 }
        }
        return Self.quotes(plain[...])
    }

    private static func quotes(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
