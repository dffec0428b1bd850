import Outreach
import Settings

/// The named segments of a conf.
enum Segments {
    /// - Throws: `configuration` with the place of the first query that cannot be read.
    static func check(_ settings: Settings) throws(Failure) {
        for section in settings.segments { _ = try query(of: section, settings) }
    }

    /// - Throws: `usage` when the conf has no segment of that name.
    static func named(_ name: String, in settings: Settings) throws(Failure) -> SegmentQuery {
        guard let section = settings.segments.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
            let known = settings.segments.map(\.name).joined(separator: ", ")
            let hint = known.utf8.isEmpty ? "the conf has none" : "the conf has \(known)"
            throw Failure(.usage, "there is no [segment.\(TerminalText.line(name))]; \(hint)")
        }
        return try query(of: section, settings)
    }

    private static func query(of section: SegmentSettings, _ settings: Settings) throws(Failure) -> SegmentQuery {
        do throws(ExpressionFault) {
            return try SegmentQuery(section.condition)
        } catch {
            let place = settings.origin(of: ["segment", section.name, "where"])?.description ?? "[segment.\(section.name)]"
            throw Failure(.configuration, "\(place): column \(error.column) of the query: \(TerminalText.line(error.message))")
        }
    }
}
