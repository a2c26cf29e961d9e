import Model

/// What a crash leaves.
extension FaultyDisk {
    func restarted(_ loss: FaultyFileSystem.Loss) -> FaultyDisk {
        switch loss {
        case .process:
            var disk = FaultyDisk(seed: 1, faults: FaultyFileSystem.Faults())
            disk.random = random
            disk.root = root
            return disk
        case .power(let seed):
            var disk = FaultyDisk(seed: seed, faults: FaultyFileSystem.Faults())
            disk.root = disk.survivors(of: root)
            return disk
        }
    }

    /// For every name either its last synced or its latest state.
    private mutating func survivors(of directory: DirectoryNode) -> DirectoryNode {
        let survivor = DirectoryNode()
        var coins: [String: Bool] = [:]
        for name in Set(directory.names.keys).union(directory.durable.keys).sorted() {
            let latest = directory.names[name]
            let synced = directory.durable[name]
            let group = directory.tied[name] ?? name
            let keepsLatest = coins[group] ?? (random.below(2) == 0)
            coins[group] = keepsLatest
            let chosen = keepsLatest ? latest : synced
            switch chosen {
            case .file(let file): survivor.names[name] = .file(surviving(file))
            case .directory(let directory): survivor.names[name] = .directory(survivors(of: directory))
            case nil: break
            }
        }
        survivor.durable = survivor.names
        return survivor
    }

    /// The synced bytes, with every unsynced page kept, lost or torn, and one of the sizes the file had.
    private mutating func surviving(_ file: FileNode) -> FileNode {
        let survivor = FileNode()
        survivor.bytes = file.durable
        if !file.dirtyPages.isEmpty {
            let low = min(file.durable.count, file.bytes.count)
            let high = max(file.durable.count, file.bytes.count)
            let sizes = [file.durable.count, file.bytes.count, low + random.below(high - low + 1)]
            Self.resize(&survivor.bytes, to: sizes[random.below(sizes.count)])
            for page in file.dirtyPages.sorted() {
                switch random.below(3) {
                case 0: Self.copyPage(page, from: file.bytes, to: &survivor.bytes)
                case 1: Self.copyPage(page, upTo: random.below(Self.pageBytes), from: file.bytes, to: &survivor.bytes)
                default: break
                }
            }
        }
        survivor.durable = survivor.bytes
        return survivor
    }
}
