import InternetMessage

/// The inside of a multipart/report: delivery status, disposition, feedback and whatever else is read as a report.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzReport(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let head = "From: MAILER-DAEMON\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    let message = Message(parsing: Array(head.utf8) + Fuzz.bytes(start, count))
    guard let report = message.report else { return 0 }
    Fuzz.expect(!"\(report)".isEmpty, "a report can be shown")
    Fuzz.expect(message.report == report, "a report is read the same twice")
    return 0
}
