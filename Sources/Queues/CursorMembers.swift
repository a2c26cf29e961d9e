/// Members of one cursor as small numbers, and how many messages each holds.
struct CursorMembers: Sendable {
    private var numbers: [String: Int32] = [:]
    private var names: [String] = []
    private var held: [Int64] = []
    private var free: [Int32] = []
    /// Slots that hold nothing are given up when there are this many.
    private static let sweepAt = 256

    func number(of member: String) -> Int32? { numbers[member] }
    func held(by member: String) -> Int64 { numbers[member].map { held[Int($0)] } ?? 0 }
    func name(of number: Int32) -> String { names[Int(number)] }

    mutating func intern(_ member: String, keeping active: Int32?) -> Int32 {
        if let number = numbers[member] { return number }
        if free.isEmpty, names.count >= Self.sweepAt { sweep(keeping: active) }
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            names[Int(number)] = member
        } else {
            number = Int32(names.count)
            names.append(member)
            held.append(0)
        }
        numbers[member] = number
        return number
    }

    mutating func hold(_ number: Int32, _ messages: Int64) { held[Int(number)] += messages }
    mutating func drop(_ number: Int32, _ messages: Int64) { held[Int(number)] -= messages }

    mutating func dropAll() { for index in held.indices { held[index] = 0 } }

    var holders: [(member: String, held: Int64)] {
        names.indices.filter { held[$0] > 0 }.map { (names[$0], held[$0]) }
    }

    private mutating func sweep(keeping active: Int32?) {
        for index in names.indices where held[index] == 0 && Int32(index) != active && numbers[names[index]] == Int32(index) {
            numbers[names[index]] = nil
            names[index] = ""
            free.append(Int32(index))
        }
    }
}
