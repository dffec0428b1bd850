import InternetMessage

/// The hours of the people who are written to, each by the clock that hangs on their wall.
package struct RecipientHours: Sendable, Hashable {
    private let week: WeekHours
    private let quietHours: SendingWindow.QuietHours?
    private let preferredHour: Int?
    /// Zones that are less sure do not count.
    private let certainty: ContactZone.Certainty
    private let zones: ZoneBook
    /// The holidays of their countries; nil: holidays are not kept.
    private let holidays: HolidayBook?

    package init(
        week: WeekHours, quietHours: SendingWindow.QuietHours?, preferredHour: Int?, certainty: ContactZone.Certainty, zones: ZoneBook,
        holidays: HolidayBook?
    ) {
        self.week = week
        self.quietHours = quietHours
        self.preferredHour = preferredHour
        self.certainty = certainty
        self.zones = zones
        self.holidays = holidays
    }

    /// The zone of a contact, when it is sure enough.
    package func zone(of contact: Contact) -> ContactZone? {
        zones.zone(of: contact).flatMap { $0.certainty >= certainty ? $0 : nil }
    }

    /// When people of a zone may be written to, holidays and the preferred hour aside.
    package func window(in zone: LocalZone) -> SendingWindow { SendingWindow(week: week, zone: zone, quietHours: quietHours) }

    /// When the contact may be written to; nil when it is not known well enough where they are.
    package func window(of contact: Contact) -> SendingWindow? {
        guard let found = zone(of: contact) else { return nil }
        let own = found.country.flatMap { holidays?.holidays(in: $0) } ?? .none
        return SendingWindow(week: week, zone: found.zone, quietHours: quietHours, holidays: own, preferredHour: preferredHour)
    }
}
