/// Finds the machine-readable report in a message, at the top or inside a forwarded message, the first in reading order.
enum ReportFinder {
    static func find(in root: BodyPart) -> Report? {
        var stack: [(part: BodyPart, siblings: [BodyPart])] = [(root, [])]
        while let (part, siblings) = stack.popLast() {
            if part.isContainer {
                for child in part.children.reversed() { stack.append((child, part.children)) }
            } else if part.mediaType.type == "message", let report = report(part, siblings) {
                return report
            }
        }
        return nil
    }

    private static func report(_ part: BodyPart, _ siblings: [BodyPart]) -> Report? {
        switch part.mediaType.subtype {
        case "delivery-status", "global-delivery-status":
            return .deliveryStatus(DeliveryStatusReport(fields(part), returned: returnedHeader(siblings)))
        case "feedback-report":
            return FeedbackReport(fields(part), returned: returnedHeader(siblings)).map(Report.feedback)
        case "disposition-notification", "global-disposition-notification":
            return DispositionReport(fields(part)).map(Report.disposition)
        default:
            return nil
        }
    }

    private static func fields(_ part: BodyPart) -> ReportFields {
        var bytes = part.decodedBody().bytes
        LineEnds.normalize(&bytes)
        return ReportFields(bytes)
    }

    /// The header of the message the report is about, from the part that returns it whole or in part.
    private static func returnedHeader(_ siblings: [BodyPart]) -> Header? {
        for part in siblings {
            switch (part.mediaType.type, part.mediaType.subtype) {
            case ("message", "rfc822"), ("message", "global"):
                if let inner = part.children.first { return inner.header }
            case ("text", "rfc822-headers"), ("message", "rfc822-headers"), ("message", "global-headers"):
                let bytes = part.decodedBody().bytes[...].drop { $0 == ASCII.cr || $0 == ASCII.lf }
                return Header(parsing: bytes)
            default: continue
            }
        }
        return nil
    }
}
