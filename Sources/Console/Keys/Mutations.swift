import Control
import Terminal

extension ConsoleModel {
    /// UPPERCASE keys: they change something, so they ask first.
    mutating func handleMutation(_ key: Key) -> [Effect] {
        guard case .character(let character) = key, "ABCDEHJKMOPRWX".contains(character) else {
            if case .character = key { say("no such key; ? lists them", .dim) }
            return []
        }
        guard mayMutate() else { return [] }
        switch character {
        case "A": if screen == .queues { openDeclare() } else { openCreateTopic() }
        case "C": return cancelJob()
        case "D": openDelete()
        case "E": openSettings()
        case "H", "B": return openGate(character == "H" ? .delivery : .publishing)
        case "J": openJitter()
        case "K": openKill()
        case "M": return openSendOn(isMove: true)
        case "O": return openReset()
        case "P": openPurge()
        case "R":
            guard screen == .delay else { return openSendOn(isMove: false) }
            openRunNow()
        case "W": openWrite()
        case "X": openDiscard()
        default: break
        }
        return []
    }

    private mutating func openGate(_ gate: QueueCommand.Gate) -> [Effect] {
        let names = queueTargets
        guard !names.isEmpty, screen != .delay else {
            say("\(gate == .delivery ? "H holds delivery" : "B blocks publishing") of a queue: select one (2)", .dim)
            return []
        }
        return toggleGate(gate, names)
    }

    private mutating func openWrite() {
        guard let queue = queueTargets.first ?? (screen == .topics ? selectedTopic : nil) else {
            say("W writes a message to a queue: select one (2)", .dim)
            return
        }
        openWrite(queue)
    }

    /// Whether anything may be changed now; says why not.
    mutating func mayMutate() -> Bool {
        if isReadOnly {
            say("read-only: this console changes nothing (--read-only)", .warn)
        } else if !link.isLive {
            say("not connected: nothing can be changed now", .warn)
        } else if isFrozen {
            say("frozen: z goes back to now, then act", .warn)
        } else {
            return true
        }
        return false
    }

    private func targets(_ list: ListState, _ current: String?) -> [String] {
        list.marks.isEmpty ? current.map { [$0] } ?? [] : list.marks.sorted()
    }

    /// The topic that a key means: the opened or selected one.
    private var topicTargets: [String] { topics.opened.map { [$0] } ?? targets(topics.list, selectedTopic) }

    private var groupTarget: String? {
        switch activeList {
        case .attention:
            guard let line = shown?.attention, line.indices.contains(overview.attention.cursor) else { return nil }
            return line[overview.attention.cursor].screen == "groups" ? line[overview.attention.cursor].select : nil
        case .backlog:
            let rows = shown.map { BacklogRow.rows($0) } ?? []
            guard rows.indices.contains(overview.backlog.cursor), !rows[overview.backlog.cursor].isQueue else { return nil }
            return rows[overview.backlog.cursor].name
        case .list: return screen == .groups ? selectedGroup : nil
        case .detail:
            if screen == .groups { return selectedGroup }
            guard screen == .topics else { return nil }
            guard topics.tab == 1, let detail = topicDetail, detail.groups.indices.contains(topics.detail.cursor) else { return nil }
            return detail.groups[topics.detail.cursor].group
        default: return nil
        }
    }

    private mutating func openReset() -> [Effect] {
        guard let group = groupTarget else {
            if let queue = queueTargets.first, screen != .delay { return openReplay(queue) }
            say("O resets a group's offsets (4) or replays a queue (2): select one", .dim)
            return []
        }
        let known = shown?.group?.row.group == group ? shown?.group?.row.topics : nil
        let listed = shown?.groups.rows.first { $0.group == group }?.topics
        return openReset(group: group, topics: known ?? listed ?? [], partition: nil, target: nil)
    }

    private mutating func openPurge() {
        if screen != .topics, screen != .delay, !queueTargets.isEmpty { return openPurgeQueues(queueTargets) }
        guard screen == .topics, !topicTargets.isEmpty else {
            say("P purges a queue (2) or deletes a topic's records (3): select one", .dim)
            return
        }
        openPurge(topicTargets)
    }

    /// `before` −1 is the end, whatever it is when the command arrives.
    mutating func openPurge(_ names: [String], partition: Int32? = nil, before: Int64 = -1) {
        let rows = (live?.topics.rows ?? []).filter { names.contains($0.name) }
        let records = rows.reduce(Int64(0)) { $0 + $1.records }
        let partitions = rows.reduce(0) { $0 + $1.partitions }
        let place = partition.map { "partition \($0)" } ?? Short.counted(partitions, "partition")
        let note: String
        if before >= 0 {
            note = "Deletes the records below offset \(Short.exact(before)) in \(partition == nil ? "every partition" : place)."
        } else if partition != nil || rows.count != names.count {
            note = "Deletes all records\(partition == nil ? "" : " of \(place)"), up to the end when you confirm."
        } else {
            note = "Deletes \(Short.counted(records, "record")) in \(place), up to the end when you confirm."
        }
        let commands = names.map { Command.deleteRecords(topic: $0, partition: partition, before: before) }
        openConfirm(verb: "Delete records of", noun: "topic", names: names, commands: commands, button: "Delete records") {
            [Note(note, .text), Note("The topic stays; later records are not touched. This can't be undone.", .warn)]
        }
    }

    private mutating func openDelete() {
        switch screen {
        case .topics where !topicTargets.isEmpty: openDeleteTopics(topicTargets)
        case .queues where !queueTargets.isEmpty, .dead where !queueTargets.isEmpty: openDeleteQueues(queueTargets)
        case .groups:
            let names = groups.opened.map { [$0] } ?? targets(groups.list, selectedGroup)
            if names.isEmpty { say("no group here to delete", .dim) } else { openDeleteGroups(names) }
        default: say("D deletes a queue (2), a topic (3) or a group (4): select one", .dim)
        }
    }

    mutating func openDeleteTopics(_ names: [String]) {
        let rows = (live?.topics.rows ?? []).filter { names.contains($0.name) }
        let records = rows.reduce(Int64(0)) { $0 + $1.records }
        let readers = rows.reduce(0) { $0 + $1.groups }
        openConfirm(
            verb: "Delete", noun: "topic", names: names, commands: names.map { .deleteTopic(name: $0) }, button: "Delete"
        ) {
            [
                rows.count == names.count
                    ? Note("Deletes \(Short.counted(names.count, "topic")) with \(Short.counted(records, "record")).")
                    : Note("Deletes \(Short.counted(names.count, "topic")) with all records."),
                readers > 0
                    ? Note("\(Short.counted(readers, "group")) read it now. This can't be undone.", .warn)
                    : Note("This can't be undone.", .warn),
            ]
        }
    }

    mutating func openDeleteGroups(_ names: [String]) {
        let rows = (live?.groups.rows ?? []).filter { names.contains($0.group) }
        let members = rows.reduce(0) { $0 + $1.members }
        openConfirm(
            verb: "Delete", noun: "group", names: names, commands: names.map { .deleteGroup(name: $0) }, button: "Delete"
        ) {
            [
                Note("Forgets \(Short.counted(names.count, "group")) and where it had read to."),
                members > 0
                    ? Note("It has \(Short.counted(members, "member")): the broker refuses until they have left.", .crit)
                    : Note("This can't be undone.", .warn),
            ]
        }
    }
}
