import Foundation
import InternetMessage

/// One large message, for the memory that reading it takes.
enum BigMessage {
    /// - Parameter kind: `files`: a short text and five attachments; `text`: one text part in quoted-printable.
    static func write(kind: String, megabytes: Int, to path: String) throws {
        var bytes = Array("From: ann@example.net\r\nTo: bea@example.com\r\nSubject: big\r\nMIME-Version: 1.0\r\n".utf8)
        let size = megabytes << 20
        bytes.reserveCapacity(size + 4096)
        var dice = Replies.Dice(seed: 7)
        if kind == "text" {
            bytes += Array("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".utf8)
            let line = Array("A line of a very long text, with one =C3=BC in it and a soft break =\r\nhere.\r\n".utf8)
            while bytes.count < size { bytes += line }
        } else {
            bytes += Array("Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n".utf8)
            let file = Base64.encode(dice.bytes(57 * 1000))
            for i in 0..<5 {
                bytes += Array(
                    "--b0\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=f\(i)\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                        .utf8)
                while bytes.count < size / 5 * (i + 1) {
                    for start in stride(from: 0, to: file.count, by: 76) { bytes += file[start..<min(start + 76, file.count)] + [13, 10] }
                }
            }
            bytes += Array("--b0--\r\n".utf8)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
