/// A form as a request carries it: `application/x-www-form-urlencoded` (WHATWG URL §5.2).
enum FormBody {
    static func encoded(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var output: [UInt8] = []
        for (name, value) in fields {
            if !output.isEmpty { output.append(UInt8(ascii: "&")) }
            escape(name, into: &output)
            output.append(UInt8(ascii: "="))
            escape(value, into: &output)
        }
        return output
    }

    private static func escape(_ text: String, into output: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                output.append(byte)
            case 0x20: output.append(UInt8(ascii: "+"))
            default: output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
