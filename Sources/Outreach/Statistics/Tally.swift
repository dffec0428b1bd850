/// How often each thing happened: what rollups keep for a day, an hour, a step and so on.
///
/// Counts may stand below zero in a change that is still to be added; in what was added up they never do.
package struct Tally: Sendable, Equatable {
    /// What is counted; the raw value is the name of the column and of the JSON member.
    ///
    /// Messages are counted from `queued` to `cancelled`; from `contacted` on people are: of each enrollment the first one counts. Opens and
    /// clicks are counted by message again.
    package enum Count: String, Sendable, CaseIterable {
        /// Put into the queue.
        case queued
        /// Taken by the next host.
        case accepted
        /// Attempts that were put off; one message may have several.
        case deferred
        /// Refused for good by the next host, and so never accepted; each is a bounce as well.
        case refused
        /// The address or its domain is not there, or not any more.
        case bouncedHard = "bounced_hard"
        /// Failed for good in another way: a full mailbox, a policy, the content.
        case bouncedSoft = "bounced_soft"
        /// Given up after its lifetime.
        case expired
        case cancelled
        /// Somebody's first message of an enrollment was accepted.
        case contacted
        /// A person wrote back, whatever it was.
        case replied
        case positive
        case question
        case negative
        case notNow = "not_now"
        case referral
        case neutral
        case outOfOffice = "out_of_office"
        case unsubscribed
        case complained
        /// Messages that a person opened, and those in which one clicked; of each the first time counts.
        case opened
        case clicked
        /// Messages that a machine fetched the picture of, and those whose links one followed.
        case machineOpened = "machine_opened"
        case machineClicked = "machine_clicked"

        /// Its place in a tally.
        package var place: Int { Self.places[self] ?? 0 }

        private static let places = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
    }

    /// By the place of each count.
    package private(set) var values: [Int]

    package init() { values = Array(repeating: 0, count: Count.allCases.count) }

    package subscript(_ count: Count) -> Int {
        get { values[count.place] }
        set { values[count.place] = newValue }
    }

    package static func += (sum: inout Tally, other: Tally) {
        for place in sum.values.indices { sum.values[place] += other.values[place] }
    }

    package static func -= (rest: inout Tally, other: Tally) {
        for place in rest.values.indices { rest.values[place] -= other.values[place] }
    }

    package var isZero: Bool { values.allSatisfy { $0 == 0 } }

    /// Messages of which it is known what became of them at the next host.
    package var settled: Int { self[.accepted] + self[.refused] + self[.expired] }
    /// Messages that the next host decided on.
    package var decided: Int { self[.accepted] + self[.refused] }
    package var bounced: Int { self[.bouncedHard] + self[.bouncedSoft] }
}

/// A share with the number it stands on: a rate without its sample says nothing.
package struct SampledRate: Sendable, Equatable {
    package let count: Int
    /// What `count` is a part of; 0: there is no rate.
    package let sample: Int

    package init(_ count: Int, of sample: Int) {
        self.count = count
        self.sample = sample
    }

    /// 0 and more; nil without a sample.
    package var value: Double? { sample > 0 ? Double(count) / Double(sample) : nil }
}

/// The rates that people and guardrails look at.
package enum RateName: String, Sendable, CaseIterable {
    /// Of the messages whose fate is known: accepted, and no report of their failure came back.
    case delivery
    /// Of the messages that the next host decided on: refused for good, or reported as failed.
    case bounce
    case reply
    case positive
    /// Of the accepted messages.
    case unsubscribe
    /// Of the accepted messages.
    case complaint
    /// Messages that a person opened, of the accepted ones; what machines fetch is not in it.
    case open
    /// Messages in which a person clicked, of the accepted ones.
    case click
}

extension Tally {
    /// - Parameter ofPeople: replies are a share of those who were contacted; false: of the accepted messages, as it must be where a tally
    ///   holds one step or one day, which mostly is not the one on which somebody was written to first.
    package func rate(_ name: RateName, ofPeople: Bool) -> SampledRate {
        switch name {
        case .delivery: SampledRate(max(0, self[.accepted] - max(0, bounced - self[.refused])), of: settled)
        case .bounce: SampledRate(bounced, of: decided)
        case .reply: SampledRate(self[.replied], of: self[ofPeople ? .contacted : .accepted])
        case .positive: SampledRate(self[.positive], of: self[ofPeople ? .contacted : .accepted])
        case .unsubscribe: SampledRate(self[.unsubscribed], of: self[.accepted])
        case .complaint: SampledRate(self[.complained], of: self[.accepted])
        case .open: SampledRate(self[.opened], of: self[.accepted])
        case .click: SampledRate(self[.clicked], of: self[.accepted])
        }
    }
}
