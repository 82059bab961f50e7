from fastapi import FastAPI, Request
from pydantic import BaseModel

app = FastAPI()

class CloudEvent(BaseModel):
    specversion: str
    type: str
    source: str
    id: str
    data: dict

async def trigger_embedding_generation(document_id):  # the document leaves this to the reader
    print(f"Embedding of {document_id} begins")

@app.post("/webhook/nlp-events")
async def receive_nlp_event(event: CloudEvent):
    """Receive events from Stage 2 NLP Processing."""

    if event.type == "com.storytelling.nlp.document.processed":
        document_id = event.data["document_id"]
        metrics = event.data["metrics"]

        print(f"Document {document_id} processed: {metrics['event_count']} events")

        # Trigger Stage 3 processing
        await trigger_embedding_generation(document_id)

    elif event.type == "com.storytelling.nlp.batch.completed":
        job_id = event.data["job_id"]
        total_docs = event.data["total_documents"]
        successful = event.data["successful"]

        print(f"Batch {job_id} completed: {successful}/{total_docs} successful")

    return {"status": "received"}
