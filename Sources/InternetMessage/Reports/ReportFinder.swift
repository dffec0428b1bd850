/// Finds the machine-readable report in a message, at the top or inside a forwarded message, the first in reading order.
///
/// Parts that say by their type that they are a report go before attachments that hold a DMARC or TLS report.
enum ReportFinder {
    static func find(in root: BodyPart, limits: ReportLimits = .default) -> Report? {
        var attachments: [BodyPart] = []
        var stack: [(part: BodyPart, siblings: [BodyPart], isReport: Bool)] = [(root, [], false)]
        while let (part, siblings, isReport) = stack.popLast() {
            if part.isContainer {
                let inside = part.mediaType.isType("multipart", "report")
                for child in part.children.reversed() { stack.append((child, part.children, inside)) }
            } else if let report = report(part, siblings, limits) {
                return report
            } else if isReport, part.mediaType.isType("text", "plain"), let report = mislabelled(part, siblings, limits) {
                return report
            } else if ReportAttachment.isCandidate(part), attachments.count < limits.archiveEntries {
                attachments.append(part)
            }
        }
        for part in attachments {
            if let report = ReportAttachment.report(in: part, limits: limits) { return report }
        }
        return root.mediaType.isType("multipart", "report") ? unpacked(root.body, limits) : nil
    }

    /// Quirk(boundaries lost on the way): the fields of a delivery report in a multipart/report whose boundary lines do not fit.
    private static func unpacked(_ body: ArraySlice<UInt8>, _ limits: ReportLimits) -> Report? {
        var bytes = Array(body.prefix(limits.attachmentBytes))
        LineEnds.normalize(&bytes)
        var block: [UInt8] = []
        var rest = bytes[...]
        var hasBegun = false
        while let end = rest.firstIndex(of: ASCII.lf) {
            let line = rest[...end]
            rest = rest[(end + 1)...]
            if !hasBegun { hasBegun = line.hasPrefix(ignoringCase: "reporting-mta:") || line.hasPrefix(ignoringCase: "final-recipient:") }
            guard hasBegun else { continue }
            if line.starts(with: [ASCII.hyphen, ASCII.hyphen]) || line.hasPrefix(ignoringCase: "content-type:") { break }
            block += line
        }
        let fields = ReportFields(block, limit: limits.fields)
        let names = Set(fields.groups.flatMap { $0 }.map(\.name))
        guard names.contains(Array("final-recipient".utf8)), names.contains(Array("action".utf8)) || names.contains(Array("status".utf8))
        else {
            return nil
        }
        // The header of the returned message stands behind the empty line of its part.
        let returned = rest.index(of: [ASCII.lf, ASCII.lf], from: rest.startIndex).map { Header(parsing: rest[($0 + 2)...]) }
        return .deliveryStatus(DeliveryStatusReport(fields, returned: returned?.messageID == nil ? nil : returned))
    }

    private static func report(_ part: BodyPart, _ siblings: [BodyPart], _ limits: ReportLimits) -> Report? {
        guard part.mediaType.type == "message" else { return nil }
        switch part.mediaType.subtype {
        case "delivery-status", "global-delivery-status":
            return .deliveryStatus(DeliveryStatusReport(fields(part, limits), returned: returnedHeader(siblings)))
        case "feedback-report":
            return FeedbackReport(fields(part, limits), returned: returnedHeader(siblings)).map(Report.feedback)
        case "disposition-notification", "global-disposition-notification":
            return DispositionReport(fields(part, limits)).map(Report.disposition)
        default:
            return nil
        }
    }

    /// Quirk(gateways that relabel parts): the fields of a delivery report in a text/plain part of a multipart/report.
    private static func mislabelled(_ part: BodyPart, _ siblings: [BodyPart], _ limits: ReportLimits) -> Report? {
        let fields = fields(part, limits)
        let names = Set(fields.groups.flatMap { $0 }.map(\.name))
        guard names.contains(Array("final-recipient".utf8)), names.contains(Array("action".utf8)) || names.contains(Array("status".utf8)),
            let first = fields.groups.first?.first,
            first.name.hasPrefix(ignoringCase: "reporting-mta") || first.name.matches("final-recipient")
        else { return nil }
        return .deliveryStatus(DeliveryStatusReport(fields, returned: returnedHeader(siblings)))
    }

    private static func fields(_ part: BodyPart, _ limits: ReportLimits) -> ReportFields {
        var bytes = part.decodedBody().bytes
        LineEnds.normalize(&bytes)
        return ReportFields(bytes, limit: limits.fields)
    }

    /// The header of the message the report is about, from the part that returns it whole or in part.
    private static func returnedHeader(_ siblings: [BodyPart]) -> Header? {
        for part in siblings {
            switch (part.mediaType.type, part.mediaType.subtype) {
            case ("message", "rfc822"), ("message", "global"):
                if let inner = part.children.first { return inner.header }
            case ("text", "rfc822-headers"), ("message", "rfc822-headers"), ("message", "global-headers"), ("text", "rfc822-header"),
                ("text", "global-headers"):
                let bytes = part.decodedBody().bytes[...].drop { $0 == ASCII.cr || $0 == ASCII.lf }
                return Header(parsing: bytes)
            default: continue
            }
        }
        return nil
    }
}
