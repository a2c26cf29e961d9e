import Control
import Terminal
import Testing

@testable import Console

/// `E` on topics, queues and share groups.
@Suite struct SettingsFormTests {
    @Test func `E changes a topic's settings as the command line does`() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        try await bench.type("3E")
        #expect(bench.model.dialog == nil && bench.status?.contains("enter opens it first") == true)
        try await bench.press(.enter)
        try await bench.type("E")
        #expect(bench.model.dialog?.title == "Settings of clicks" || bench.model.dialog?.title.hasPrefix("Settings of ") == true)
        try await bench.submit()
        #expect(bench.model.dialog?.message?.text == "Nothing is changed yet.")
        bench.model.dialog?.form.setText("retention", "36h")
        bench.model.dialog?.form.setText("segmentBytes", "64MiB")
        let name = try #require(bench.model.selectedTopic)
        try await bench.submit()
        #expect(bench.changes == [.alter(SettingsChange(.topic, name, set: ["retention.ms": "129600000", "segment.bytes": "67108864"]))])
    }

    @Test func `E on a share group changes the group, not a topic of that name`() async throws {
        var bench = try await Bench()
        bench.control.state.withLock { $0.queues.append(QueueRow(name: "billing@orders")) }
        bench.model.open(.queues, selecting: "billing@orders")
        try await bench.fetch()
        try await bench.type("E")
        #expect(bench.model.dialog?.title == "Settings of group billing")
        bench.model.dialog?.form.setText("levels", "10s,1m")
        bench.model.dialog?.form.setText("lock", "1m")
        try await bench.submit()
        #expect(
            bench.changes == [
                .alter(SettingsChange(.group, "billing", set: ["retry.levels": "10s,1m", "share.record.lock.duration.ms": "60000"]))
            ])
        #expect(
            bench.changes.first?.commandLine
                == "weir group alter billing --config retry.levels=10s,1m --config share.record.lock.duration.ms=60000")
    }

    @Test func `a fraction is a rate and no count`() throws {
        var form = SettingsForm.form(.queue, name: nil, levels: 18)
        form.setText("rateIn", "0.5")
        form.setText("rateOut", "2.5k")
        form.setText("jitter", "0.25")
        form.setText("bytes", "2GiB")
        form.setText("settledMs", "7d")
        form.setText("settledBytes", "500MB")
        form.setText("backoff", "1s,2,5m")
        #expect(
            try SettingsForm.values(.queue, form) == [
                "rate.in": "0.5", "rate.out": "2500", "retry.jitter": "0.25", "max.bytes": "2147483648",
                "retention.settled.ms": "604800000", "retention.settled.bytes": "500000000", "retry.backoff": "1s,2,5m",
            ])
        form.setText("attempts", "2.5")
        #expect(throws: FormProblem("Delivery limit: a whole number from 0.")) { try SettingsForm.values(.queue, form) }
        form.setText("attempts", "")
        form.setText("levels", "10s")
        #expect(throws: FormProblem("Retry levels or a backoff, not both.")) { try SettingsForm.values(.queue, form) }
    }

    @Test func `a level is one of the broker's table`() throws {
        var form = SettingsForm.form(.queue, name: nil, levels: 40)
        guard case .text(_, let hint)? = form.fields.first(where: { $0.id == "delay" })?.kind else { throw FormProblem("no field") }
        #expect(hint == "all wait: 10s; or level 1-40")
        form.setText("delay", "33")
        #expect(try SettingsForm.values(.queue, form) == ["delay.level": "33"])
        form.setText("delay", "33s")
        #expect(try SettingsForm.values(.queue, form) == ["delay.ms": "33000"])
    }

    @Test func `what was set is shown exactly and comes back as it was`() throws {
        let given = [
            "retention.ms": "-1", "retention.bytes": "1000000007", "segment.ms": "90000", "segment.bytes": "1073741824",
            "flush": "interval",
            "message.timestamp.type": "LogAppendTime", "delay.enable": "true", "delay.ms": "1500",
        ]
        let form = SettingsForm.form(.topic, name: nil, given: given, levels: 18)
        #expect(form.text("retention") == "none" && form.text("segmentMs") == "90s" && form.text("segmentBytes") == "1GiB")
        #expect(try SettingsForm.values(.topic, form) == given)
        let change = try SettingsForm.change(.topic, "t", SettingsForm.form(.topic, name: nil, levels: 18), opened: given)
        #expect(change.set.isEmpty && Set(change.unset) == Set(given.keys))
    }

    @Test(arguments: ["3⏎E", "2⏎E", "2A"]) func `the forms fit eighty columns`(keys: String) async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        for key in keys { if key == "⏎" { try await bench.press(.enter) } else { try await bench.type(String(key)) } }
        let fields = try #require(bench.model.dialog?.form.fields)
        #expect(bench.screen.contains("[ Cancel ]"))
        for field in fields where !field.label.isEmpty { #expect(bench.screen.contains(field.label), "\(field.label)\n\(bench.screen)") }
    }

    @Test func `read-only refuses E`() async throws {
        var bench = try await Bench(isReadOnly: true)
        try await bench.type("3")
        try await bench.press(.enter)
        try await bench.type("E")
        #expect(bench.model.dialog == nil && bench.status?.contains("read-only") == true)
    }
}
