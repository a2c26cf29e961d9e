import SchemaCompiler
import Testing

@Suite struct SchemaParserTests {
    private func failure(_ text: String) -> SchemaError? {
        do {
            _ = try SchemaParser.parse(text, file: "X.kafka")
            return nil
        } catch { return error }
    }

    @Test func `a file is read with its docs, nesting and attributes`() throws {
        let schema = try SchemaParser.parse(
            """
            # Top.
            # Second line.
            api Ping key 9 versions 1-3 flexible 2+ advertised 0-3

            request
              topics    []Topic  0+  null 2+  # All of them.
                name    string   0-1
              at        int64    3+  tag 4 default -1
            response
            """, file: "Ping.kafka")
        #expect(schema.doc == ["Top.", "Second line."])
        let api = try #require(schema.api)
        #expect(api.key == 9)
        #expect(api.versions == VersionRange(1, 3))
        #expect(api.advertised == VersionRange(0, 3))
        #expect(api.firstFlexible == 2)
        #expect(!api.client)
        #expect(schema.messages.map(\.name) == ["PingRequest", "PingResponse"])
        #expect(schema.messages.map(\.reads) == [true, false])
        #expect(schema.messages.map(\.writes) == [false, true])
        let fields = schema.messages[0].fields
        #expect(fields.count == 2)
        #expect(fields[0].type == .array(.structure("Topic")))
        #expect(fields[0].nullable == VersionRange(2, nil))
        #expect(fields[0].doc == "All of them.")
        #expect(fields[0].fields.map(\.name) == ["name"])
        #expect(fields[0].fields[0].versions == VersionRange(0, 1))
        #expect(fields[1].tag?.number == 4)
        #expect(fields[1].tag?.versions == VersionRange(3, nil))
        #expect(fields[1].defaultText == "-1")
    }

    @Test(
        arguments: [
            ("api Ping key 1 versions 0-1", 1, "'flexible N+' or 'flexible none' is missing"),
            ("api Ping key 1 versions 0+ flexible none", 1, "an api's versions have an end"),
            ("request\n", 1, "the api line comes first"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int32", 3, "a field needs a name, a type and versions"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int31 0+", 3, "unknown type 'int31'"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int32 x", 3, "bad versions 'x'"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int32 3-1", 3, "bad versions '3-1'"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int32 0+ deflt 1", 3, "unknown attribute 'deflt'"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int32 0+ null", 3, "'null' needs a value"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a T 0+", 3, "a structure, and nothing else, has fields beneath it"),
            ("api P key 1 versions 0 flexible none\nrequest\n  a int8 0+\n  a int8 0+", 4, "'a' appears twice"),
            ("api P key 1 versions 0 flexible none\nrequest\n   a int8 0+", 3, "indented by 3 where 2 fits"),
            ("api P key 1 versions 0 flexible none\nrequest\nrequest", 3, "request appears twice"),
            ("apj P", 1, "expected api, request, response or data, not 'apj'"),
        ] as [(String, Int, String)])
    func `errors name file and line`(text: String, line: Int, message: String) {

        #expect(failure(text)?.description == "X.kafka:\(line): error: \(message)")
    }
}
