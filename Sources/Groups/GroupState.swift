/// Where a group stands between two generations (Kafka's classic group protocol).
///
/// ```
/// Empty ──join──▶ PreparingRebalance ──all joined, or time is up──▶ CompletingRebalance ──leader's sync──▶ Stable
///   ▲                │   ▲                                              │                                   │
///   └──nobody left───┘   └──────────── join, leave, expiry ─────────────┴───────────────────────────────────┘
/// ```
public enum GroupState: String, Equatable, Sendable, CaseIterable {
    /// No members; offsets may be there.
    case empty = "Empty"
    /// Members must join again; their joins wait.
    case preparingRebalance = "PreparingRebalance"
    /// All have joined; the leader is assigning, and syncs wait for it.
    case completingRebalance = "CompletingRebalance"
    case stable = "Stable"
    /// Deleted.
    case dead = "Dead"
}
