import Broker
import Control
import Model

/// The operator: redrives the dead, purges and takes it back, holds and resumes.
extension World {
    func operate(_ broker: Broker) {
        switch random.below(6) {
        case 0, 1, 2: redrive(broker)
        case 3: purge(broker)
        case 4: command(.gate(queue: "queue", .delivery, held: random.below(2) == 0), broker)
        default: command(.gate(queue: "queue", .publishing, held: random.below(2) == 0), broker)
        }
    }

    func openGates(_ broker: Broker) {
        for gate in [QueueCommand.Gate.delivery, .publishing] {
            wait { done in
                Task {
                    do { _ = try await broker.perform(.gate(queue: "queue", gate, held: false), actor: "simulator") } catch {
                        fail("the gate does not open: \(error)")
                    }
                    done()
                }
            }
        }
    }

    private func redrive(_ broker: Broker) {
        var redrive = Redrive(queue: "queue.dlq")
        if random.below(3) == 0 { redrive.rate = 5 }
        oracle.redriveAsked()
        tell("redrive")
        command(.redrive(redrive), broker)
    }

    private func purge(_ broker: Broker) {
        let purged = oracle.purgeAsked()
        let takesBack = random.below(3) > 0
        let oracle = oracle
        tell("purge\(takesBack ? ", to be undone" : "")")
        let run = machine.starts
        oracle.purging += 1
        Task {
            defer { if run == machine.starts { oracle.purging -= 1 } }
            guard let outcome = try? await broker.perform(.purge(queue: "queue", delayed: false), actor: "simulator") else { return }
            guard takesBack, let undo = outcome.undo else { return }
            if (try? await broker.perform(.undo(id: undo), actor: "simulator")) != nil { oracle.purgeUndone(purged) }
        }
    }

    /// What is refused (a job runs already, there is nothing to do) is none of the oracle's business.
    private func command(_ command: QueueCommand, _ broker: Broker) {
        Task { _ = try? await broker.perform(command, actor: "simulator") }
    }
}
