import Foundation
import Testing

/// The Python implementation of DKIM (dkimpy) as an independent verifier and signer; it asks no DNS.
package enum DKIMPy {
    /// The verdict on each DKIM-Signature of `message`, from the first one down, with `records` in place of DNS.
    package static func verify(_ message: [UInt8], records: [DKIMRecord]) async throws -> [DKIMVerdict] {
        try await verify(all: [message], records: records).first ?? []
    }

    /// The verdicts on each of `messages`, all verified by one process.
    package static func verify(all messages: [[UInt8]], records: [DKIMRecord]) async throws -> [[DKIMVerdict]] {
        let folder = try TemporaryFolder()
        let list = try MessageFiles.write(messages, to: folder)
        try folder.write("records.json", Array(try JSONEncoder().encode(Dictionary(records.map { ($0.name, $0.text) }) { $1 })))
        let script = """
            import dkim, json, sys
            records = json.load(open('records.json'))
            def txt(name, timeout=5):
                return records.get(name.decode().rstrip('.'), '').encode()
            for name in open(sys.argv[1]).read().split():
                message = open(name, 'rb').read()
                print('message')
                count = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b'dkim-signature')
                for index in range(count):
                    signed = dkim.DKIM(message)
                    try:
                        valid = signed.verify(idx=index, dnsfunc=txt)
                    except dkim.DKIMException:
                        valid = False
                    tags = signed.signature_fields
                    print('\\t'.join(tags.get(tag, b'').decode() for tag in (b'd', b's', b'a')), valid, sep='\\t')
            """
        var verdicts: [[DKIMVerdict]] = []
        for line in try await python(script, [list], in: folder).split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if fields == ["message"] {
                verdicts.append([])
            } else if fields.count == 4, !verdicts.isEmpty {
                verdicts[verdicts.count - 1].append(
                    DKIMVerdict(domain: fields[0], selector: fields[1], algorithm: fields[2], isValid: fields[3] == "True"))
            }
        }
        return verdicts
    }

    /// Signs `message` with the RSA key in `keyFile` (PEM) and returns it with its signature on top.
    package static func sign(_ message: [UInt8], domain: String, selector: String, keyFile: String) async throws -> [UInt8] {
        let folder = try TemporaryFolder()
        try folder.write("message", message)
        let script = """
            import dkim, sys
            message = open('message', 'rb').read()
            _, selector, domain, key = sys.argv
            signature = dkim.sign(message, selector.encode(), domain.encode(), open(key, 'rb').read())
            open('signed', 'wb').write(signature + message)
            """
        _ = try await python(script, [selector, domain, keyFile], in: folder)
        return TextFile.bytes(folder("signed"))
    }

    private static func python(_ script: String, _ arguments: [String] = [], in folder: TemporaryFolder) async throws -> String {
        // The distribution's Python: the one that its package of dkimpy is for, whatever stands first in PATH.
        let python = "/usr/bin/python3"
        guard (try? await Command.run(python, ["-c", "import dkim"]))?.status == 0 else {
            try Interop.absent("no dkimpy on this machine; scripts/setup --test installs it", #_sourceLocation)
        }
        try folder.write("script.py", text: script)
        return try await Command.succeed(python, ["script.py"] + arguments, directory: folder.path, within: .seconds(300)).outputText
    }
}
