import ArgumentParser
import Control
import Model

/// Which messages: the conditions that redrive, replay and listings share. All that are given must hold.
struct FilterOptions: ParsableArguments {
    @Option(name: .customLong("id"), help: "Only this message; may be repeated.") var ids: [String] = []
    @Option(parsing: .unconditional, help: "Only those that died for a reason that begins so.") var reason: String?
    @Option(
        name: .customLong("header"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only those with this header; may be repeated.", valueName: "name=value"))
    var headers: [String] = []
    @Option(parsing: .unconditional, help: ArgumentHelp("A regular expression on key or value.", valueName: "regex")) var match: String?
    @Option(help: ArgumentHelp("Appended at this time or later: ms since 1970, ISO 8601, or a span ago.", valueName: "time"))
    var since: String?
    @Option(help: ArgumentHelp("Appended before this time.", valueName: "time")) var until: String?

    func validate() throws { _ = try filter(now: Timestamp(ms: 0)) }

    func filter(now: Timestamp) throws -> MessageFilter {
        var filter = MessageFilter()
        filter.ids = ids
        filter.reason = reason
        filter.headers = try HeaderText.parse(headers)
        if let match {
            do throws(TextPattern.Problem) { _ = try TextPattern(match) } catch {
                throw ValidationError("--match: '\(match)' is no regular expression: \(error)")
            }
            filter.match = match
        }
        filter.fromMs = try since.map { try Self.time("--since", $0, now: now) }
        filter.toMs = try until.map { try Self.time("--until", $0, now: now) }
        return filter
    }

    private static func time(_ option: String, _ text: String, now: Timestamp) throws -> Int64 {
        do throws(MisreadText) { return try WhenText.parse(text, .ago, now: now) } catch { throw ValidationError("\(option): \(error)") }
    }
}

/// `--header NAME=VALUE`
enum HeaderText {
    static func parse(_ texts: [String]) throws -> [MessageHeader] {
        try texts.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--header takes NAME=VALUE, not '\(text)'") }
            return MessageHeader(name: String(parts[0]), value: String(parts[1]))
        }
    }
}
