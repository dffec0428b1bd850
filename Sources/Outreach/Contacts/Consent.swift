package import InternetMessage

/// Where the right to write to somebody comes from, and since when: what whoever keeps an address must be able to show (GDPR articles 7 and
/// 14).
package struct Consent: Sendable, Equatable {
    /// In the words of whoever keeps it: a form, a fair, a contract. nil: nobody has said it.
    package var source: String?
    /// To the second; the first moment of a day of UTC stands for that day. nil: nobody has said it.
    package var at: Timestamp?

    package static let longestSource = 500

    package init(source: String? = nil, at: Timestamp? = nil) {
        self.source = source
        self.at = at
    }

    package var isEmpty: Bool { source == nil && at == nil }

    /// What is known once somebody says `given`: what is said replaces what was known, what is not said stays. Only with another source the
    /// date goes, which was that of the one before.
    package func updated(by given: Consent) -> Consent {
        var consent = self
        if let source = given.source {
            let isOther = self.source.map { !$0.utf8.elementsEqual(source.utf8) } ?? false
            if isOther { consent.at = nil }
            consent.source = source
        }
        if let at = given.at { consent.at = at }
        return consent
    }

    /// Whether both say the same, by their bytes.
    package func isSame(as other: Consent) -> Bool {
        source.map { Array($0.utf8) } == other.source.map { Array($0.utf8) } && at == other.at
    }

    /// The date as it is written and read: a day where it is the first moment of one, else the moment.
    package var date: String? {
        at.map { at in
            let day = CivilDate(at)
            return day.startOfDayUTC == at ? day.iso8601 : at.iso8601
        }
    }

    /// For a person; nil when nothing is known.
    package var words: String? {
        let parts = [source, date].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// What keeps a text from being a source, for a person; nil: nothing.
    package static func fault(ofSource text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { $0 >= 32 && $0 != 127 }
        guard isPlain, text.utf8.count <= longestSource else {
            return "the source of a consent is one line of at most \(longestSource) bytes, without control characters"
        }
        return nil
    }

    package enum DateReading: Sendable, Equatable {
        case moment(Timestamp)
        /// What is wrong with it, for a person.
        case wrong(String)
    }

    /// Reads a day or a moment, of UTC where it does not say.
    ///
    /// - Parameter now: a day that comes after tomorrow's is refused; nil: none is.
    package static func readDate(_ text: String, now: Timestamp?) -> DateReading {
        guard let moment = WrittenMoment.read(text, in: nil) else {
            return .wrong("'\(text)' is no date of a consent; write for instance 2026-03-01 or 2026-03-01T14:30:00+01:00")
        }
        if let now, moment > now + .seconds(86_400) { return .wrong("'\(text)' is no date of a consent: that day is still to come") }
        return .moment(moment)
    }

    /// What a person says of the consent of a contact.
    package struct Change: Sendable, Equatable {
        package let contact: Contact.ID
        /// nil: nothing is known of it any more.
        package let given: Consent?

        package init(contact: Contact.ID, given: Consent?) {
            self.contact = contact
            self.given = given
        }
    }
}
