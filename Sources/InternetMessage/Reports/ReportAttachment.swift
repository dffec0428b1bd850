/// DMARC and TLS reports as they are attached: gzip, zip, or plain.
///
/// Compressed attachments are opened only where their name or type says that they hold such a report, because nothing else in mail is.
enum ReportAttachment {
    static func isCandidate(_ part: BodyPart) -> Bool {
        switch part.mediaType.essence {
        case "application/tlsrpt+gzip", "application/tlsrpt+json": true
        case "application/xml", "text/xml": true
        case "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip",
            "application/octet-stream", "application/x-compressed", "application/gzip-compressed", "application/x-gzip-compressed",
            "text/plain",
            "application/json":
            isReportName(part.filename)
        default: false
        }
    }

    /// `receiver!domain!begin!end[!id].xml.gz` (RFC 9990 §3.5.1.1, RFC 8460 §5.1), or a name that speaks of DMARC or TLS reports.
    private static func isReportName(_ name: String?) -> Bool {
        guard let name else { return false }
        let bytes = name.utf8.asciiLowercased
        let ends = [".xml", ".gz", ".zip", ".json"].contains { bytes.suffix($0.utf8.count).elementsEqual($0.utf8) }
        if ends, bytes.count(where: { $0 == 0x21 }) >= 2 { return true }
        return ends && ["dmarc", "tlsrpt", "tls-rpt"].contains { bytes[...].index(of: Array($0.utf8), from: 0) != nil }
    }

    static func report(in part: BodyPart, limits: ReportLimits) -> Report? {
        let bytes = part.decodedBody(limit: limits.attachmentBytes + 1).bytes
        guard bytes.count <= limits.attachmentBytes, let content = opened(bytes, limits) else { return nil }
        let first = content.first { !$0.isWhitespace && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF }
        if first == 0x7B { return TLSReport(json: content[...], limits: limits).map(Report.transportSecurity) }
        return AggregateReportReader.report(content[...], limits: limits).map(Report.aggregate)
    }

    private static func opened(_ bytes: [UInt8], _ limits: ReportLimits) -> [UInt8]? {
        if bytes.starts(with: [0x1F, 0x8B]) { return Inflation.inflate(bytes[...], .gzip, limits: limits) }
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
            return ZipArchive.content(of: bytes[...], endings: [".xml", ".json"], limits: limits)
        }
        return bytes
    }
}
