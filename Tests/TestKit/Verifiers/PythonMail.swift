import Foundation
import Testing

/// Python's `email` package as an independent reader of messages.
package enum PythonMail {
    /// What it finds in one message; absent fields are nil, addresses are `name <address>` pieces.
    package struct Reading: Codable, Sendable, Equatable {
        package var subject: String?
        package var from: [[String]]
        package var sender: [[String]]
        package var replyTo: [[String]]
        package var to: [[String]]
        package var cc: [[String]]
        /// Seconds since 1970 and minutes east of UTC.
        package var date: [Int]
        package var messageID: String?
        package var inReplyTo: [String]
        package var references: [String]
        /// Other fields by lower-case name, encoded words decoded.
        package var others: [String: String]
        /// Content types as a tree, such as `multipart/mixed(text/plain,image/png)`.
        package var tree: String
        package var leaves: [Leaf]
        /// What Python holds against the message or a part of it, and what is illegal in its lines.
        package var defects: [String]

        package init(
            subject: String?, from: [[String]], sender: [[String]], replyTo: [[String]], to: [[String]], cc: [[String]], date: [Int],
            messageID: String?, inReplyTo: [String], references: [String], others: [String: String], tree: String, leaves: [Leaf],
            defects: [String] = []
        ) {
            self.subject = subject
            self.from = from
            self.sender = sender
            self.replyTo = replyTo
            self.to = to
            self.cc = cc
            self.date = date
            self.messageID = messageID
            self.inReplyTo = inReplyTo
            self.references = references
            self.others = others
            self.tree = tree
            self.leaves = leaves
            self.defects = defects
        }
    }

    /// A part without parts.
    package struct Leaf: Codable, Sendable, Equatable {
        package var type: String
        package var filename: String?
        package var contentID: String?
        /// SHA-256 in hexadecimal of the decoded content, that of texts with LF line ends.
        package var sha256: String?
        /// The properties of a calendar that matter, unfolded and unescaped; nil for other types.
        package var calendar: [String: String]?

        package init(type: String, filename: String?, contentID: String?, sha256: String?, calendar: [String: String]? = nil) {
            self.type = type
            self.filename = filename
            self.contentID = contentID
            self.sha256 = sha256
            self.calendar = calendar
        }
    }

    /// The version of Python and what it finds in each of `messages`, all read by one process.
    package static func read(_ messages: [[UInt8]]) async throws -> (version: String, readings: [Reading]) {
        let folder = try TemporaryFolder()
        let names = try MessageFiles.write(messages, to: folder)
        try folder.write("script.py", text: script)
        let python = "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            try Interop.absent("no \(python) on this machine; scripts/setup --test installs it", #_sourceLocation)
        }
        let outcome = try await Command.succeed(python, ["script.py", names], directory: folder.path, within: .seconds(300))
        var lines = outcome.output.split(separator: 10).map { Data($0) }
        let version = lines.isEmpty ? "" : String(decoding: lines.removeFirst(), as: UTF8.self)
        return (version, try lines.map { try JSONDecoder().decode(Reading.self, from: $0) })
    }

    private static let script = #"""
        import email, email.errors, email.policy, email.utils, hashlib, json, re, sys
        from email.header import decode_header, make_header

        registry = email.policy.SMTPUTF8.header_factory

        def raw(part, name):
            # Octets beyond ASCII are UTF-8 in a message that needs SMTPUTF8 (RFC 6532).
            return [re.sub(r'[\r\n]', '', value.encode('utf-8', 'surrogateescape').decode('utf-8'))
                    for key, value in part.raw_items() if key.lower() == name]

        def text(part, name):
            values = raw(part, name)
            assert len(values) <= 1, name
            return str(make_header(decode_header(values[0].strip()))) if values else None

        def addresses(message, name):
            # Quirk(Python before 3.13): the header registry keeps the space between two encoded words of a display name, which RFC 2047
            # §6.2 drops; the older functions of the same package do not.
            found = []
            for value in raw(message, name):
                names = email.utils.getaddresses([value])
                header = registry(name, value)
                # It calls any local part beyond ASCII a defect, because it does not know of SMTPUTF8 here.
                known = email.errors.NonASCIILocalPartDefect
                defects = [defect for defect in header.defects if not isinstance(defect, known)]
                assert len(names) == len(header.addresses) and not defects, (value, defects)
                for (display, _), address in zip(names, header.addresses):
                    found.append([str(make_header(decode_header(display))), address.addr_spec])
            return found

        def identifiers(message, name):
            return [word.strip('<>') for value in raw(message, name) for word in value.split()]

        def tree(part):
            if part.is_multipart():
                return part.get_content_type() + '(' + ','.join(tree(child) for child in part.get_payload()) + ')'
            return part.get_content_type()

        def calendar(octets):
            lines = re.sub(r'\r\n[ \t]', '', octets.decode('utf-8')).split('\r\n')
            properties, inside = {}, []
            for line in lines:
                name, _, value = line.partition(':')
                if name == 'BEGIN':
                    inside.append(value)
                elif name == 'END':
                    assert inside.pop() == value
                elif inside[-1:] == ['VEVENT'] and name in ('SUMMARY', 'DESCRIPTION', 'LOCATION', 'UID', 'DTSTART', 'DTEND'):
                    properties[name] = re.sub(r'\\(.)', lambda match: '\n' if match[1] in 'nN' else match[1], value)
                elif inside == ['VCALENDAR'] and name == 'METHOD':
                    properties[name] = value
            properties['ATTENDEES'] = str(sum(1 for line in lines if line.startswith('ATTENDEE;')))
            assert all(len(line) <= 75 for line in octets.split(b'\r\n')) and not inside
            return properties

        def leaf(part):
            octets = part.get_payload(decode=True)
            kind = part.get_content_type()
            properties = calendar(octets) if kind == 'text/calendar' else None
            if part.get_content_disposition() is None:
                octets.decode(part.get_content_charset())
                octets = octets.replace(b'\r\n', b'\n')
            content_id = text(part, 'content-id')
            return dict(type=kind, filename=part.get_filename(), contentID=content_id and content_id.strip('<>'),
                        sha256=hashlib.sha256(octets).hexdigest(), calendar=properties)

        def defects(octets, message):
            found = []
            if octets.replace(b'\r\n', b'').count(b'\n') or octets.replace(b'\r\n', b'').count(b'\r'):
                found.append('bare CR or LF')
            if max(len(line) for line in octets.split(b'\r\n')) > 998:
                found.append('line over 998')
            for part in message.walk():
                found += [repr(defect) for defect in part.defects]
            modern = email.message_from_bytes(octets, policy=email.policy.default)
            for part in modern.walk():
                for name in ('content-type', 'content-disposition', 'content-transfer-encoding', 'mime-version', 'date'):
                    if part[name] is not None:
                        found += [name + ': ' + repr(defect) for defect in part[name].defects]
            return found

        special = {'subject', 'from', 'sender', 'reply-to', 'to', 'cc', 'date', 'message-id', 'in-reply-to', 'references', 'mime-version',
                   'content-type', 'content-transfer-encoding', 'dkim-signature'}
        print('Python ' + sys.version.split()[0])
        for name in open(sys.argv[1]).read().split():
            octets = open(name, 'rb').read()
            message = email.message_from_bytes(octets)
            date = email.utils.parsedate_to_datetime(text(message, 'date'))
            names = [key.lower() for key in message.keys()]
            print(json.dumps(dict(
                subject=text(message, 'subject'), **{'from': addresses(message, 'from')}, sender=addresses(message, 'sender'),
                replyTo=addresses(message, 'reply-to'), to=addresses(message, 'to'), cc=addresses(message, 'cc'),
                date=[round(date.timestamp()), round(date.utcoffset().total_seconds()) // 60],
                messageID=text(message, 'message-id').strip('<>'), inReplyTo=identifiers(message, 'in-reply-to'),
                references=identifiers(message, 'references'),
                others={name: text(message, name) for name in names if name not in special},
                tree=tree(message), leaves=[leaf(part) for part in message.walk() if not part.is_multipart()],
                defects=defects(octets, message))))
        """#
}

/// Messages as files, for programs that read many in one run.
enum MessageFiles {
    /// Writes each message and a list of their names, relative to the folder and one a line; returns the name of the list.
    static func write(_ messages: [[UInt8]], to folder: TemporaryFolder) throws -> String {
        try folder.write("list", text: try names(messages, in: folder).joined(separator: "\n") + "\n")
        return "list"
    }

    /// Writes each message and returns the names, relative to the folder.
    static func names(_ messages: [[UInt8]], in folder: TemporaryFolder) throws -> [String] {
        try messages.enumerated().map { position, message in
            try folder.write("m\(position)", message)
            return "m\(position)"
        }
    }
}
