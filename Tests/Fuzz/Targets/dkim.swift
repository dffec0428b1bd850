import Dispatch
import InternetMessage
import MailAuthentication

/// A key record, an empty line, and a message: its signatures are verified against that record, whatever name they ask for.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSignatures(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Fuzz.bytes(start, count)
    let split = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.startIndex
    let record = Array(bytes[..<split])
    let message = Array(bytes[split...].dropFirst())
    _ = try? DKIMKeyRecord(parsing: record)
    let verifier = DKIMVerifier { _ in .records([record]) }
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        for result in await verifier.verify(message, at: Timestamp(seconds: 1_700_000_000)) {
            Fuzz.expect(!result.summary.utf8.contains { $0 < 0x20 }, "a summary is one line")
        }
        done.signal()
    }
    done.wait()
    for field in Message(parsing: message).header.fields {
        let once = Canonicalization.relaxed.header(field.raw)
        Fuzz.expect(Canonicalization.relaxed.header(once[...]) == once, "a relaxed field stays as it is")
    }
    return 0
}
