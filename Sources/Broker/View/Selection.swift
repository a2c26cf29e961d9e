/// A window of a sorted list without sorting the list: with ten thousand rows and fifty shown, only those up to the window's end are put in
/// order.
enum Selection {
    /// The items that sorting by `isBefore` would put at `start` and the next `count` places. `isBefore` must tell any two items apart.
    static func window<Item>(
        of items: [Item], start: Int, count: Int, by isBefore: (Item, Item) -> Bool
    ) -> [Item] {
        var items = items
        let from = min(max(0, start), items.count)
        let end = min(items.count, from + max(0, count))
        guard from < end else { return [] }
        if end < items.count { gather(&items, first: end, by: isBefore) }
        items[..<end].sort(by: isBefore)
        return Array(items[from..<end])
    }

    /// Brings the `count` smallest items to the front, in any order (quickselect, pivot from the middle of three).
    private static func gather<Item>(_ items: inout [Item], first count: Int, by isBefore: (Item, Item) -> Bool) {
        var low = 0
        var high = items.count - 1
        while low < high {
            let pivot = median(items[low], items[(low + high) / 2], items[high], by: isBefore)
            var left = low
            var right = high
            while left <= right {
                while isBefore(items[left], pivot) { left += 1 }
                while isBefore(pivot, items[right]) { right -= 1 }
                guard left <= right else { break }
                items.swapAt(left, right)
                left += 1
                right -= 1
            }
            if count - 1 <= right {
                high = right
            } else if count - 1 >= left {
                low = left
            } else {
                return
            }
        }
    }

    private static func median<Item>(_ a: Item, _ b: Item, _ c: Item, by isBefore: (Item, Item) -> Bool) -> Item {
        if isBefore(a, b) { return isBefore(b, c) ? b : isBefore(a, c) ? c : a }
        return isBefore(a, c) ? a : isBefore(b, c) ? c : b
    }
}
