import Control

extension ConsoleModel {
    /// The command that the form says; nil with a message where something is wrong.
    mutating func createCommand() -> Command? {
        guard let form = dialog?.form else { return nil }
        let name = form.text("name")
        if let problem = Self.topicNameProblem(name) {
            dialog?.message = Note(problem, .crit)
            return nil
        }
        guard let partitions = Int(form.text("partitions")), (1...10_000).contains(partitions) else {
            dialog?.message = Note("Partitions: a number from 1 to 10,000.", .crit)
            return nil
        }
        var configs: [String: String] = [:]
        let retention = form.text("retention")
        if !retention.isEmpty {
            guard let ms = Self.retentionMs(retention) else {
                dialog?.message = Note("Retention: 90s, 15m, 12h, 3d or none.", .crit)
                return nil
            }
            configs["retention.ms"] = String(ms)
        }
        return .createTopic(name: name, partitions: partitions, configs: configs)
    }

    /// Shows the command line of what is typed so far.
    mutating func updateCreate() {
        guard let form = dialog?.form else { return }
        let name = form.text("name")
        var configs: [String: String] = [:]
        if let ms = Self.retentionMs(form.text("retention")) { configs["retention.ms"] = String(ms) }
        let partitions = Int(form.text("partitions")) ?? 1
        dialog?.commandLine = Command.createTopic(name: name.isEmpty ? "NAME" : name, partitions: partitions, configs: configs).commandLine
    }

    /// Kafka's rules for topic names (`org.apache.kafka.common.internals.Topic`): 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`.
    static func topicNameProblem(_ name: String) -> String? {
        if name.isEmpty { return "Name: give the topic a name." }
        if name == "." || name == ".." { return "Name: . and .. are not allowed." }
        if name.utf8.count > 249 { return "Name: at most 249 characters." }
        let isLegal = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 46 || byte == 95
        }
        return isLegal ? nil : "Name: only letters, digits, . _ and - are allowed."
    }

    /// `90s 15m 12h 3d` in ms, `none` as −1 (for ever).
    static func retentionMs(_ text: String) -> Int64? {
        if text == "none" { return -1 }
        let units: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()), (1...1_000_000).contains(number) else {
            return nil
        }
        return number * unit
    }
}
