/// Base64 of RFC 4648 §4, over bytes.
package enum Base64 {
    /// The text for `bytes`, padded, without line ends.
    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] { encode(Array(bytes)) }

    /// The text for the bytes of an array, without the cost of a generic call.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: ASCII.equals, count: (bytes.count + 2) / 3 * 4)
        let digits = alphabet
        var at = 0
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let second = left > 1 ? UInt32(bytes[index + 1]) : 0
            let third = left > 2 ? UInt32(bytes[index + 2]) : 0
            let group = UInt32(bytes[index]) << 16 | second << 8 | third
            output[at] = digits[Int(group >> 18)]
            output[at + 1] = digits[Int(group >> 12 & 63)]
            if left > 1 { output[at + 2] = digits[Int(group >> 6 & 63)] }
            if left > 2 { output[at + 3] = digits[Int(group & 63)] }
            at += 4
            index += 3
        }
        return output
    }

    /// The bytes of base64 text, nil when it is not exactly that: another character, wrong padding, or stray bits at the end.
    /// White space (also CR and LF) is passed over when `ignoringWhitespace`.
    package static func decode(_ text: some Collection<UInt8>, ignoringWhitespace: Bool = false) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var held = 0
        var padding = 0
        for byte in text {
            if ignoringWhitespace, byte.isWhitespace { continue }
            if byte == ASCII.equals {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            guard value < 64, padding == 0 else { return nil }
            group = group << 6 | UInt32(value)
            held += 1
            if held == 4 {
                output.append(UInt8(truncatingIfNeeded: group >> 16))
                output.append(UInt8(truncatingIfNeeded: group >> 8))
                output.append(UInt8(truncatingIfNeeded: group))
                group = 0
                held = 0
            }
        }
        switch (held, padding) {
        case (0, 0): break
        case (2, 2) where group & 0xF == 0: output.append(UInt8(truncatingIfNeeded: group >> 4))
        case (3, 1) where group & 0x3 == 0:
            output.append(UInt8(truncatingIfNeeded: group >> 10))
            output.append(UInt8(truncatingIfNeeded: group >> 2))
        default: return nil
        }
        return output
    }

    /// What can be read of base64 as mail carries it: other characters are passed over, padding may be missing or stand
    /// between concatenated pieces. `isClean` is false when anything but white space had to be passed over or bits were lost.
    package static func decodeTolerantly(_ text: ArraySlice<UInt8>) -> (bytes: [UInt8], isClean: Bool) {
        var isClean = true
        // Four characters never make more than three bytes, and what is left over never more than two.
        let bytes = [UInt8](capacity: text.count / 4 * 3 + 3) { output in
            let text = text.span
            let values = values.span
            var group: UInt32 = 0
            var held = 0
            var padded = false
            var i = 0
            while i < text.count {
                // Whole groups in a row, as the lines of an honest encoder have them.
                while held == 0, !padded, i &+ 4 <= text.count {
                    let first = UInt32(values[Int(text[i])])
                    let second = UInt32(values[Int(text[i &+ 1])])
                    let third = UInt32(values[Int(text[i &+ 2])])
                    let fourth = UInt32(values[Int(text[i &+ 3])])
                    guard first | second | third | fourth < 64 else { break }
                    append(first << 18 | second << 12 | third << 6 | fourth, to: &output)
                    i &+= 4
                }
                guard i < text.count else { break }
                let byte = text[i]
                i &+= 1
                let value = values[Int(byte)]
                if value < 64 {
                    if padded {
                        isClean = false
                        padded = false
                    }
                    group = group << 6 | UInt32(value)
                    held &+= 1
                    if held == 4 {
                        append(group, to: &output)
                        group = 0
                        held = 0
                    }
                } else if byte == ASCII.equals {
                    if held < 2, !padded { isClean = false }
                    append(leftover: group, held, to: &output)
                    group = 0
                    held = 0
                    padded = true
                } else if !byte.isWhitespace {
                    isClean = false
                }
            }
            if held > 0 { isClean = false }
            append(leftover: group, held, to: &output)
        }
        return (bytes, isClean)
    }

    private static func append(_ group: UInt32, to output: inout OutputSpan<UInt8>) {
        output.append(UInt8(truncatingIfNeeded: group >> 16))
        output.append(UInt8(truncatingIfNeeded: group >> 8))
        output.append(UInt8(truncatingIfNeeded: group))
    }

    /// The bytes in a group of two or three characters.
    private static func append(leftover group: UInt32, _ held: Int, to output: inout OutputSpan<UInt8>) {
        if held == 3 {
            output.append(UInt8(truncatingIfNeeded: group >> 10))
            output.append(UInt8(truncatingIfNeeded: group >> 2))
        } else if held == 2 {
            output.append(UInt8(truncatingIfNeeded: group >> 4))
        }
    }

    /// Whether `byte` is one of the 64 characters.
    static func isAlphabet(_ byte: UInt8) -> Bool { values[Int(byte)] < 64 }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()
}
