from flask import Flask, request, jsonify
app = Flask(__name__)

@app.route('/webhook/nlp-events', methods=['POST'])
def receive():
    event = request.json
    print(f"[RECEIVER 2] Got event: {event['type']} - {event['id']}")
    return jsonify({"status": "received"}), 200

if __name__ == '__main__':
    app.run(host='0.0.0.0', port=9002)
