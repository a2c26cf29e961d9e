/// A fixed number of the latest points, oldest first.
struct Ring<Point: Sendable>: Sendable {
    private var points: [Point] = []
    private var next = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    mutating func append(_ point: Point) {
        if points.count < capacity {
            points.append(point)
        } else {
            points[next] = point
        }
        next = (next + 1) % capacity
    }

    var last: Point? { points.isEmpty ? nil : points[(next + capacity - 1) % capacity] }

    /// The newest `count` points.
    func suffix(_ count: Int) -> [Point] {
        let wanted = min(count, points.count)
        let start = points.count < capacity ? points.count - wanted : (next + capacity - wanted) % capacity
        return (0..<wanted).map { points[(start + $0) % points.count] }
    }
}
