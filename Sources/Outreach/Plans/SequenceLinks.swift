/// Which sequences begin which others, by the actions of their plans.
package struct SequenceLinks: Sendable {
    /// Names of the sequences that each begins, by its own name.
    private var links: [[UInt8]: [[UInt8]]] = [:]

    /// - Parameter plans: of several of one name the last counts.
    package init(_ plans: [SequencePlan]) {
        for plan in plans { links[Array(plan.name.utf8)] = plan.steps.flatMap(\.begins).map { Array($0.utf8) } }
    }

    /// Whether there is a sequence of that name.
    package func has(_ name: String) -> Bool { links[Array(name.utf8)] != nil }

    /// The names on the shortest way from one sequence to another, with both; nil when none leads there.
    package func way(from start: String, to end: String) -> [String]? {
        let (start, end) = (Array(start.utf8), Array(end.utf8))
        var before: [[UInt8]: [UInt8]] = [:]
        var rest = [start]
        var next = 0
        while next < rest.count {
            let name = rest[next]
            next += 1
            if name == end {
                var way = [end]
                while let last = way.last, last != start, let previous = before[last] { way.append(previous) }
                return way.reversed().map { String(decoding: $0, as: UTF8.self) }
            }
            for target in links[name] ?? [] where target != start && before[target] == nil {
                before[target] = name
                rest.append(target)
            }
        }
        return nil
    }
}
