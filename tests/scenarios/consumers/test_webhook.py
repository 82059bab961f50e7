from flask import Flask, request, jsonify

app = Flask(__name__)

@app.route('/webhook/nlp-events', methods=['POST'])
def receive_event():
    event = request.json
    print(f"\n{'='*60}")
    print(f"Received Event: {event['type']}")
    print(f"Document ID: {event.get('data', {}).get('document_id', 'N/A')}")
    print(f"Event ID: {event['id']}")
    print(f"{'='*60}\n")
    return jsonify({"status": "received"}), 200

if __name__ == '__main__':
    app.run(host='0.0.0.0', port=9000)
