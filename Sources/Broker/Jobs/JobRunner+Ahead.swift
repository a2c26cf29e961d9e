import Model
import Queues
import Storage

/// Reading ahead: the next stretch is read while this one is sent.
extension JobRunner {
    /// What is known of the beginning of `gap`, read now if it was not before.
    func scan(
        _ key: ShareKey, _ gap: Range<Offset>, _ plan: MessagePlan, _ mover: Mover, copies: Bool
    ) async throws(LogError) -> JobScan {
        if let ahead, ahead.begins(gap, of: key) { return ahead }
        if let following {
            self.following = nil
            let scan = try await following.value.get()
            if scan.begins(gap, of: key) { return scan }
        }
        return try await JobScan.look(key, gap, plan, mover, settled: copies)
    }

    /// What is being read ahead is not wanted. When this returns nothing is read any more: the broker may close the log next.
    func forgetFollowing() async {
        guard let following else { return }
        self.following = nil
        following.cancel()
        _ = await following.value
    }
}
