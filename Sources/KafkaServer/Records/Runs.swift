extension Array {
    /// Runs of neighbours that are alike in something, in order: `[a1, a2, b1]` by letter gives `[0..<2, 2..<3]`.
    func runs<Key: Equatable>(by key: (Element) -> Key) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in indices {
            if let last = runs.last, key(self[last.lowerBound]) == key(self[index]) {
                runs[runs.count - 1] = last.lowerBound..<(index + 1)
            } else {
                runs.append(index..<(index + 1))
            }
        }
        return runs
    }
}
