import struct NIOCore.ByteBuffer

@testable import IMAP

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func buffer(_ text: String) -> ByteBuffer { ByteBuffer(bytes: text.utf8) }

/// The UID of a test's own making; zero is a mistake in the test.
func uid(_ value: UInt32) -> UID {
    guard let uid = UID(value) else { preconditionFailure("a UID is never zero") }
    return uid
}

func validity(_ value: UInt32) -> UIDValidity {
    guard let validity = UIDValidity(value) else { preconditionFailure("a UIDVALIDITY is never zero") }
    return validity
}

/// All the frames in the text, fed in pieces of the given size.
func frames(_ input: [UInt8], piece: Int = .max, limits: FrameReader.Limits = .init(), quirks: Quirks = Quirks()) -> (
    frames: [Frame], end: FrameReader.Outcome
) {
    var reader = FrameReader(limits: limits, quirks: quirks)
    var frames: [Frame] = []
    var rest = input[...]
    while true {
        let part = rest.prefix(piece)
        rest = rest.dropFirst(part.count)
        reader.append(ByteBuffer(bytes: part))
        loop: while true {
            switch reader.next() {
            case .frame(let frame): frames.append(frame)
            case .incomplete: break loop
            case .fatal(let fault): return (frames, .fatal(fault))
            }
        }
        if rest.isEmpty { return (frames, .incomplete) }
    }
}

/// The one response in the text, which lacks its line end.
func response(_ text: String, quirks: Quirks = Quirks()) -> Response? {
    frames(bytes(text + "\r\n"), quirks: quirks).frames.first.map { Response($0, quirks: quirks) }
}

/// Bytes from a seed, the same on every machine (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
