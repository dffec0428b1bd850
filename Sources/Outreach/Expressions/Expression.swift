/// Tests that are joined by `and`, `or`, `not` and parentheses; `and` binds closer than `or`.
package indirect enum Expression<Test: Sendable & Equatable>: Sendable, Equatable {
    case all([Expression])
    case any([Expression])
    case not(Expression)
    case test(Test)

    /// In the order in which they are written.
    package var tests: [Test] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap(\.tests)
        case .not(let part): part.tests
        case .test(let test): [test]
        }
    }

    /// Whether it holds; what does not matter any more is not asked.
    func holds(_ isTrue: (Test) -> Bool) -> Bool {
        switch self {
        case .all(let parts): parts.allSatisfy { $0.holds(isTrue) }
        case .any(let parts): parts.contains { $0.holds(isTrue) }
        case .not(let part): !part.holds(isTrue)
        case .test(let test): isTrue(test)
        }
    }
}

/// What is wrong with an expression and where, counted in characters from 1.
package struct ExpressionFault: Error, Sendable, Equatable {
    package let column: Int
    package let message: String
}
