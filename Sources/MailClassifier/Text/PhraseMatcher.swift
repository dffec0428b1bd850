/// Finds any number of phrases in one pass over folded text (Aho and Corasick, 1975).
///
/// A phrase is one fragment, or several in order with at most ``gap`` bytes between one and the next. Time is linear in the text.
struct PhraseMatcher: Sendable {
    /// An occurrence of a phrase: its number, and where it begins and ends in the folded bytes.
    struct Hit: Sendable {
        var phrase: Int
        var start: Int
        var end: Int
    }

    /// The most bytes that may stand for a `*` between two fragments: about six words.
    static let gap = 42

    private struct Fragment {
        var phrase: Int32
        var length: Int32
        /// First fragment of its phrase: no predecessor. The predecessor's number is one less than its own.
        var isFirst: Bool
        var isLast: Bool
        /// The next fragment with the same text, -1 when there is none.
        var sibling: Int32
    }

    private var bytes: [UInt8] = [0]
    private var firstChild: [Int32] = [-1]
    private var nextChild: [Int32] = [-1]
    private var fallback: [Int32] = [0]
    /// The first fragment that ends at a state, -1 when there is none.
    private var fragmentAt: [Int32] = [-1]
    /// The nearest state on the fallback path where a fragment ends, 0 when there is none.
    private var shorter: [Int32] = [0]
    private var fragments: [Fragment] = []
    private var roots = [Int32](repeating: 0, count: 256)
    /// The state behind a space at the beginning, where most phrases begin, 0 when there is none; and its children by byte.
    private var space: Int32 = 0
    private var words = [Int32](repeating: 0, count: 256)

    /// `phrases` are lists of fragments; a phrase's number is its place in the list. Empty ones never match.
    init(_ phrases: [[[UInt8]]]) {
        let most = phrases.reduce(1) { $0 + $1.reduce(0) { $0 + $1.count } }
        bytes.reserveCapacity(most)
        firstChild.reserveCapacity(most)
        nextChild.reserveCapacity(most)
        fallback.reserveCapacity(most)
        fragmentAt.reserveCapacity(most)
        shorter.reserveCapacity(most)
        for (number, phrase) in phrases.enumerated() {
            for (place, fragment) in phrase.enumerated() where !fragment.isEmpty {
                insert(fragment, phrase: Int32(number), isFirst: place == 0, isLast: place == phrase.count - 1)
            }
        }
        link()
    }

    private mutating func insert(_ text: [UInt8], phrase: Int32, isFirst: Bool, isLast: Bool) {
        var state: Int32 = 0
        for byte in text {
            if let child = child(of: state, byte) {
                state = child
                continue
            }
            let new = Int32(bytes.count)
            bytes.append(byte)
            firstChild.append(-1)
            nextChild.append(firstChild[Int(state)])
            firstChild[Int(state)] = new
            fallback.append(0)
            fragmentAt.append(-1)
            shorter.append(0)
            if state == 0 {
                roots[Int(byte)] = new
                if byte == 0x20 { space = new }
            } else if state == space {
                words[Int(byte)] = new
            }
            state = new
        }
        fragments.append(
            Fragment(phrase: phrase, length: Int32(text.count), isFirst: isFirst, isLast: isLast, sibling: fragmentAt[Int(state)]))
        fragmentAt[Int(state)] = Int32(fragments.count - 1)
    }

    private func child(of state: Int32, _ byte: UInt8) -> Int32? {
        if state == 0 {
            let root = roots[Int(byte)]
            return root == 0 ? nil : root
        }
        if state == space {
            let word = words[Int(byte)]
            return word == 0 ? nil : word
        }
        var child = firstChild[Int(state)]
        while child >= 0 {
            if bytes[Int(child)] == byte { return child }
            child = nextChild[Int(child)]
        }
        return nil
    }

    private func next(_ from: Int32, _ byte: UInt8) -> Int32 {
        var state = from
        while true {
            if let child = child(of: state, byte) { return child }
            if state == 0 { return 0 }
            state = fallback[Int(state)]
        }
    }

    private mutating func link() {
        var queue: [Int32] = []
        queue.reserveCapacity(bytes.count)
        var child = firstChild[0]
        while child >= 0 {
            queue.append(child)
            child = nextChild[Int(child)]
        }
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            let back = fallback[Int(state)]
            shorter[Int(state)] = fragmentAt[Int(back)] >= 0 ? back : shorter[Int(back)]
            var child = firstChild[Int(state)]
            while child >= 0 {
                fallback[Int(child)] = next(back, bytes[Int(child)])
                queue.append(child)
                child = nextChild[Int(child)]
            }
        }
    }

    /// All occurrences, in the order of their ends.
    func hits(in text: [UInt8]) -> [Hit] {
        var found: [Hit] = []
        // Where the chain of fragments up to this one began and ended last.
        var chains: [Int32: (start: Int, end: Int)] = [:]
        var state: Int32 = 0
        for (offset, byte) in text.enumerated() {
            state = next(state, byte)
            var output = fragmentAt[Int(state)] >= 0 ? state : shorter[Int(state)]
            while output > 0 {
                var number = fragmentAt[Int(output)]
                while number >= 0 {
                    let fragment = fragments[Int(number)]
                    let end = offset + 1
                    var start = end - Int(fragment.length)
                    var holds = true
                    if !fragment.isFirst {
                        // Two fragments may share the space between them.
                        if let chain = chains[number - 1], start >= chain.end - 1, start - chain.end <= Self.gap {
                            start = chain.start
                        } else {
                            holds = false
                        }
                    }
                    if holds {
                        if fragment.isLast {
                            found.append(Hit(phrase: Int(fragment.phrase), start: start, end: end))
                        } else {
                            chains[number] = (start, end)
                        }
                    }
                    number = fragment.sibling
                }
                output = shorter[Int(output)]
            }
        }
        return found
    }
}
