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

    var count: Int { points.count }

    var last: Point? { points.isEmpty ? nil : points[(next + capacity - 1) % capacity] }

    /// The newest `count` points.
    func suffix(_ count: Int) -> [Point] {
        let wanted = min(count, points.count)
        let start = points.count < capacity ? points.count - wanted : (next + capacity - wanted) % capacity
        return (0..<wanted).map { points[(start + $0) % points.count] }
    }
}

/// A ring with a point for each step of time that is written only when something changes: what was not written stayed as it was.
///
/// ```
/// set(7, at: 3), set(9, at: 6, since: 7)   suffix(5, at: 8, now: 9) → 7 7 9 9 9  (steps 4 to 8)
/// ```
struct SteppedRing<Point: Sendable>: Sendable {
    private var ring: Ring<Point>
    /// The step after the last one that is written; nil before the first.
    private var next: Int?

    init(capacity: Int) { ring = Ring(capacity: capacity) }

    /// Writes `point` for `step`, and `idle` for the steps since the last one that was written. A step that is written stays.
    mutating func set(_ point: Point, at step: Int, since idle: Point) {
        fill(to: step, with: idle)
        guard step >= next ?? step else { return }
        ring.append(point)
        next = step + 1
    }

    /// Writes `idle` for all steps before `step` that are not written.
    mutating func fill(to step: Int, with idle: Point) {
        guard let from = next, step > from else { return }
        for _ in 0..<min(step - from, ring.capacity) { ring.append(idle) }
        next = step
    }

    /// The newest `count` points up to and with `step`, those that are not written being `idle`.
    func suffix(_ count: Int, at step: Int, now idle: Point) -> [Point] {
        guard let next, count > 0 else { return [] }
        let missing = min(max(0, step + 1 - next), count, ring.capacity)
        return ring.suffix(min(count, ring.capacity) - missing) + Array(repeating: idle, count: missing)
    }
}
