import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// The machine is stopped at every change of the disk on the way from publish to release; afterwards nothing that was confirmed is lost,
/// nothing is early, and nothing comes twice.
@Suite struct DelayCrashTests {
    /// Publishes until the machine stops, sends again what was not confirmed, and looks at what comes out.
    private func run(killIn points: Int, _ loss: FaultyFileSystem.Loss) async throws -> (isKilled: Bool, problem: String?) {
        var limits = Limits()
        limits.delayTableEntries = 16
        let bed = try await DelayBed(limits: limits, seed: UInt64(points))
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        bed.kill(in: points)
        var sent: [(records: [DelayBed.Sent], sequence: Int32)] = []
        var confirmed = 0
        var due: [String: Int64] = [:]
        for batch in 0..<6 {
            var records: [DelayBed.Sent] = []
            for index in 0..<6 {
                // The third of each batch goes at once; the last of each is of another band.
                let delay = index == 3 ? 0 : index == 5 ? 400_000_000 : 5 + (index * 37 + batch * 11) % 60
                let value = "\(batch)-\(index)"
                due[value] = bed.broker.clock.now.ms + Int64(delay)
                records.append(.init(value: value, headers: delay == 0 ? [] : [("x-delay", "\(delay)")]))
            }
            sent.append((records, Int32(batch * 6)))
            let answer = try await bed.publish(id, records, producer: (9, Int32(batch * 6)))
            if answer.error == nil { confirmed += 1 } else { break }
        }
        if !bed.disk.isDown { try await Task.sleep(for: .milliseconds(120)) }
        let isKilled = bed.disk.isDown
        try await bed.restart(loss)
        for (index, batch) in sent.enumerated() where index >= confirmed - 1 {
            let answer = try await bed.publish(id, batch.records, producer: (9, batch.sequence))
            if let error = answer.error { return (isKilled, "batch \(index) is refused: \(error)") }
        }
        let near = sent.flatMap(\.records).map(\.value).filter { !$0.hasSuffix("-5") }
        let all = try await eventually { try await bed.values(id).count >= near.count }
        try await Task.sleep(for: .milliseconds(80))
        let values = try await bed.values(id)
        let waiting = await bed.waiting()
        await bed.close()
        if !all {
            let missing = Set(near).subtracting(values).sorted()
            return (isKilled, "missing: \(missing), \(waiting) wait, \(confirmed) of \(sent.count) batches were confirmed")
        }
        if Set(values).count != values.count { return (isKilled, "twice: \(values.sorted())") }
        if let early = values.first(where: { $0.hasSuffix("-5") }) { return (isKilled, "\(early) is early") }
        if waiting != Int64(sent.count) { return (isKilled, "\(waiting) wait, \(sent.count) were sent") }
        return (isKilled, nil)
    }

    @Test(arguments: [false, true])
    func nothingIsLostEarlyOrTwiceWhereverTheMachineStops(powerFails: Bool) async throws {
        var point = 1
        while point < 400 {
            let outcome = try await run(killIn: point, powerFails ? .power(seed: UInt64(point)) : .process)
            #expect(outcome.problem == nil, "stopped at change \(point)")
            if !outcome.isKilled || outcome.problem != nil { break }
            point += 1
        }
        #expect(point > 30, "the machine was stopped \(point) times only")
    }
}
