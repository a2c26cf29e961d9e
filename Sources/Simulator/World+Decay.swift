import Broker
import Model
import NIOCore
import Storage

/// A bit of a file turns over while the machine is off. What it hits may be lost, but not silently, and nothing may come out of the broker
/// that was never put in.
extension World {
    func decay() {
        machine.crash(.process)
        oracle.crashed(powerLost: false)
        flip()
        isDecayed = true
        switch startOnce() {
        case .success(let broker): lookAround(broker)
        case .failure(let error):
            tell("it does not start: \(error)")
            tally["decay.refused"] += 1
        case nil: fail("with a bit turned over the broker did not start and did not say why")
        }
    }

    private func flip() {
        do {
            let files = try machine.files()
            guard !files.isEmpty else { return }
            let file = files[random.below(files.count)]
            let byte = random.below(file.bytes)
            try machine.disk.flipBit(file.path, byte: byte, bit: random.below(8))
            tell("a bit of byte \(byte) of \(file.path), \(file.bytes) bytes, turns over")
        } catch { fail("the simulator's own disk fails: \(error)") }
    }

    private func lookAround(_ broker: Broker) {
        openGates(broker)
        let logs = logs(broker)
        drain(broker)
        turns.run(forMs: 60_000)
        for line in machine.reports.lines { tell(line) }
        guard machine.reports.lines.isEmpty else {
            tally["decay.reported"] += 1
            return
        }
        tally["decay.harmless"] += 1
        guard let logs else { return fail("a log can't be read, and nothing says so") }
        if let wrong = oracle.judge(logs) { fail("after a bit turned over, and nothing said so: \(wrong)") }
    }
}
