// Messages that the suite gives as JSON in the spelling of the schema.
package main

import (
	"encoding/json"
	"strings"

	waE2E "go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The message; whatsmeow's schema spells some fields in another case (`newsletterJID`).
func raw(given json.RawMessage) (*waE2E.Message, error) {
	var value any
	if err := json.Unmarshal(given, &value); err != nil {
		return nil, err
	}
	message := &waE2E.Message{}
	bytes, err := json.Marshal(respelled(value, message.ProtoReflect().Descriptor()))
	if err != nil {
		return nil, err
	}
	return message, protojson.Unmarshal(bytes, message)
}

func respelled(value any, of protoreflect.MessageDescriptor) any {
	switch value := value.(type) {
	case []any:
		for place, item := range value {
			value[place] = respelled(item, of)
		}
	case map[string]any:
		out := map[string]any{}
		for key, item := range value {
			for place := range of.Fields().Len() {
				field := of.Fields().Get(place)
				if !strings.EqualFold(string(field.Name()), key) {
					continue
				}
				key = string(field.Name())
				if field.Kind() == protoreflect.MessageKind {
					item = respelled(item, field.Message())
				}
				break
			}
			out[key] = item
		}
		return out
	}
	return value
}
