extension Shard {
    /// The groups of this shard. None until the coordinator is wired in.
    func groupViews() -> [GroupView] { [] }
}
